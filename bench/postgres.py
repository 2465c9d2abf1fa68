# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the bench's own, with the tasks of tasks_data.py in it: made, used and thrown away.

It is durable (fsync), sized like a small server, and not pinned: with the server under test on one core and the client
on the other, it takes what both leave.
"""
import datetime
import io
import os
import pathlib
import pwd
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import uuid

from lab import RELEASE, free_port

TABLES = ("identity_users", "identity_sessions", "identity_refresh_tokens", "identity_signing_keys", "tasks")
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 256MB
max_connections = 100
max_wal_size = 4GB
jit = off
"""


def programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


class Postgres:
    """Running from entering the `with` block to leaving it."""

    def __enter__(self):
        self.bin, self.port, self.password = programs(), free_port(), secrets.token_hex(16)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bedplate-bench-"))
        self.user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses root.
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data, secret = self.folder / "data", self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        secret.chmod(0o644)
        self.run("initdb", "-D", data, "-U", "bedplate", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync",
                 "--locale=C.UTF-8", "--encoding=UTF8")
        secret.unlink()
        with open(data / "postgresql.conf", "a", encoding="ascii") as config:
            config.write(SETTINGS + f"port = {self.port}\n")
        self.run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)

    @property
    def url(self):
        return f"postgresql://bedplate:{self.password}@127.0.0.1:{self.port}/postgres"

    def run(self, name, *arguments):
        done = subprocess.run([str(self.bin / name), *map(str, arguments)], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **self.user)
        if done.returncode != 0:
            raise SystemExit(f"{name} failed: {done.stderr}")

    def sql(self, text, rows=""):
        """What psql answers; `rows` for a COPY FROM STDIN."""
        done = subprocess.run([str(self.bin / "psql"), "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", text, self.url],
                              input=rows, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"psql: {done.stderr}")
        return done.stdout

    def fill(self, folder):
        """Copies the data of `folder`, an embedded database, and makes the schema first."""
        done = subprocess.run([RELEASE / "bedplate", "migrate", "up", "--data", folder], capture_output=True, text=True,
                              env={**os.environ, "BEDPLATE_DATABASE_URL": self.url})
        if done.returncode != 0:
            raise SystemExit(f"migrate up: {done.stderr}")
        source = sqlite3.connect(f"file:{folder}/bedplate.db?mode=ro", uri=True)
        for table in TABLES:
            self.copy(source, table)
        source.close()
        self.sql("VACUUM ANALYZE")
        self.sql("CHECKPOINT")
        return self

    def copy(self, source, table):
        described = self.sql("SELECT column_name, data_type FROM information_schema.columns "
                             f"WHERE table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position")
        types = dict(line.split("\t") for line in described.splitlines())
        rows = io.StringIO()
        for row in source.execute(f"SELECT {', '.join(types)} FROM {table}"):
            rows.write("\t".join(text_of(value, kind) for value, kind in zip(row, types.values())) + "\n")
        self.sql(f"COPY {table} ({', '.join(types)}) FROM STDIN", rows.getvalue())


def text_of(value, kind):
    """A value of SQLite as COPY reads it."""
    if value is None:
        return "\\N"
    if kind == "uuid":
        return str(uuid.UUID(bytes=value))
    if kind.startswith("timestamp"):
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)).isoformat() + "+00"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
