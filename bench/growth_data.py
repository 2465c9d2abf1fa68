# SPDX-License-Identifier: Apache-2.0
"""Two users, one with 1 000 tasks and one with 100 000, indexed for search, on both engines; and the lists they ask for.

Made anew for each run. Tasks come by SQL; `bedplate migrate data` copies them, and makes the search index as it does so.
"""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import tasks_data
from lab import RELEASE, WORK, bedplate

USERS = {"1 000": 1_000, "100 000": 100_000}
# Each word stands in every task; "topic7" in every fiftieth.
LISTS = {
    "the newest 20": "limit=20",
    "by label": "label=home",
    "by status, sorted by due date": "status=todo&sort=due_at",
    "by `q`": "q=task",
    "by `q`, a word of every 50th task": "q=topic7",
}


def make(postgres):
    """(folder of an embedded database, lines): the same is in `postgres`. lines[user][list]: a file for bench/load."""
    source, target = WORK / "growth_source", WORK / "growth"
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    with bedplate(source, *tasks_data.CHEAP) as server:
        users = {name: tasks_data.sign_up(server.port, number) for number, name in enumerate(USERS)}
    insert(source / "bedplate.db", {name: user for name, (user, _) in users.items()})
    copy(source, postgres.url)
    target.mkdir(parents=True)
    copy(source, f"sqlite:{target}/bedplate.db")
    shutil.copy(source / "identity.key", target / "identity.key")
    postgres.sql("VACUUM ANALYZE")
    return target, {name: lines(target, name, token) for name, (_, token) in users.items()}


def copy(source, url):
    done = subprocess.run([RELEASE / "bedplate", "migrate", "data", "--to", url, "--data", source], capture_output=True,
                          text=True, env=os.environ)
    if done.returncode != 0:
        raise SystemExit(f"migrate data --to {url.split('@')[-1]}: {done.stderr}")


def insert(database, users):
    now_ms = int(time.time() * 1000)
    connection = sqlite3.connect(database)
    with connection:
        for name, user in users.items():
            rows = []
            for number in range(USERS[name]):
                at_ms = now_ms - (USERS[name] - number) * 1000
                due = (at_ms + random.randrange(10**9)) * 1000 if number % 2 else None
                rows.append((user.bytes, tasks_data.uuid7(at_ms).bytes, f"Task {number}",
                             f"What there is to say about topic{number % 50}, in a sentence or two.",
                             ("todo", "in_progress", "done")[number % 3], due,
                             json.dumps(["home", "errands"] if number % 10 == 0 else ["errands"]), at_ms * 1000,
                             at_ms * 1000, 1, f"task {number}"))
            connection.executemany(
                "INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at,"
                " version, title_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def lines(folder, name, token):
    files = {}
    for number, (what, query) in enumerate(LISTS.items()):
        files[what] = folder / f"{name.replace(' ', '')}.{number}.lines"
        files[what].write_text(f"/v1/tasks?{query}\tAuthorization: Bearer {token}\n", encoding="ascii")
    return files
