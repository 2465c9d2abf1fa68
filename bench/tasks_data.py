# SPDX-License-Identifier: Apache-2.0
"""A data directory with 100 k tasks of 1 k users, and the request lines that read, list and create them.

Users come through the API (so their tokens are real), tasks by SQL (so that it takes seconds). Kept between runs
while the schema is the same and the tokens are good.
"""
import concurrent.futures
import dataclasses
import hashlib
import http.client
import json
import pathlib
import random
import shutil
import sqlite3
import time
import uuid

from lab import ROOT, WORK, bedplate

USERS, TASKS_PER_USER = 1000, 100
READ_LINES = 20_000
TOKEN_S = 86_400
FRESH_S = TOKEN_S / 2

# Sign-ups cost as little as they may: what is measured is not hashing.
CHEAP = (f"identity.access_token_seconds={TOKEN_S}", "identity.login_throttle.enabled=false",
         "identity.password_memory_kib=19456", "identity.password_queue_max=1000")


@dataclasses.dataclass
class Data:
    folder: pathlib.Path

    @property
    def read_paths(self):
        return self.folder.with_suffix(".read")

    @property
    def list_paths(self):
        return self.folder.with_suffix(".list")

    @property
    def create_paths(self):
        return self.folder.with_suffix(".create")

    def copy(self, name):
        """The same data once more, for a server that writes."""
        target = WORK / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder, target)
        return target


def ensure():
    """The data, made now unless a fresh one is there."""
    schema = hashlib.sha256()
    for path in sorted(ROOT.glob("*/*/migrations/*.sql")):
        schema.update(path.read_bytes())
    data = Data(WORK / "tasks")
    stamp = WORK / "tasks.made"
    if stamp.exists() and stamp.read_text() == schema.hexdigest() and time.time() - stamp.stat().st_mtime < FRESH_S:
        return data
    stamp.unlink(missing_ok=True)
    shutil.rmtree(data.folder, ignore_errors=True)
    with bedplate(data.folder, *CHEAP) as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            users = list(pool.map(lambda number: sign_up(server.port, number), range(USERS)))
    tasks = insert_tasks(data.folder / "bedplate.db", [user for user, _ in users])
    write_lines(data, users, tasks)
    stamp.write_text(schema.hexdigest())
    return data


def sign_up(port, number):
    """(id, access token) of a new user."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"email": f"user{number}@example.com", "password": "correct horse battery staple"})
    connection.request("POST", "/v1/auth/signup", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    if response.status != 201:
        raise SystemExit(f"sign-up answered {response.status}: {answer}")
    return uuid.UUID(answer["user"]["id"]), answer["access_token"]


def uuid7(at_ms):
    """RFC 9562: ordered by time, as the server makes them."""
    bits = (at_ms << 80) | (0x7 << 76) | (random.getrandbits(12) << 64) | (0b10 << 62) | random.getrandbits(62)
    return uuid.UUID(int=bits)


def insert_tasks(database, users):
    """[(user number, task id)] of what was inserted, in the order of time: users take turns."""
    start_ms = int(time.time() * 1000) - 365 * 86_400_000
    step_ms = 365 * 86_400_000 // (len(users) * TASKS_PER_USER)
    inserted, rows = [], []
    for number in range(len(users) * TASKS_PER_USER):
        at_ms = start_ms + number * step_ms
        owner, turn = number % len(users), number // len(users)
        task = uuid7(at_ms)
        inserted.append((owner, task))
        rows.append((users[owner].bytes, task.bytes, f"Task {turn} of user {owner}",
                     f"What there is to say about task {turn}, in a sentence or two.",
                     ("todo", "in_progress", "done")[turn % 3], (at_ms + 30 * 86_400_000) * 1000,
                     '["home","errands"]', at_ms * 1000, at_ms * 1000, 1, f"task {turn} of user {owner}"))
    connection = sqlite3.connect(database)
    with connection:
        connection.executemany(
            "INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at, version,"
            " title_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return inserted


def write_lines(data, users, tasks):
    def line(path, number):
        return f"{path}\tAuthorization: Bearer {users[number][1]}\n"

    random.shuffle(tasks)
    data.read_paths.write_text("".join(line(f"/v1/tasks/{task}", number) for number, task in tasks[:READ_LINES]))
    data.list_paths.write_text("".join(
        line("/v1/tasks?status=todo&sort=-due_at,title&limit=20", number) for number in range(len(users))))
    data.create_paths.write_text("".join(line("/v1/tasks", number) for number in range(len(users))))
