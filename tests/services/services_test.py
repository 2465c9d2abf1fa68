#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`services_test.py tools/services.sh`: real servers come up, answer, come back after a crash, and go."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve()
PSQL = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql"))[-1]
# In memory, if there is room: nothing here waits for a disk.
MEMORY = "/dev/shm"
MEDIUM = MEMORY if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30 else tempfile.gettempdir()


def psql(url, sql):
    return subprocess.run([PSQL, "-XAtqc", sql, url], check=True, capture_output=True, text=True).stdout.strip()


class Services(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.state = os.path.relpath(pathlib.Path(self.place.name) / "deep" / "state")

    def tearDown(self):
        self.services("down")
        self.place.cleanup()

    def services(self, command):
        """{name: url}; a service that does not run has the URL "-"."""
        done = subprocess.run([SCRIPT, command, self.state], check=True, capture_output=True, text=True,
                              env={**os.environ, "TMPDIR": MEDIUM})
        return {line.split()[0]: line.split()[2] for line in done.stdout.splitlines()}

    def remembered(self, name):
        return dict(line.split("=", 1) for line in pathlib.Path(self.state).read_text().splitlines())[name]

    # One life of the servers from the first `up` to the last `down`: making them is what takes time.
    def test_up_serves_all_three_mends_what_crashed_and_down_leaves_nothing(self):
        self.assertEqual(set(self.services("status").values()), {"-"})
        urls = self.services("up")
        self.check_that_all_serve(urls)
        self.assertEqual(self.services("up"), urls)

        self.crash_postgres_and_redis()
        self.assertEqual(self.services("up"), urls)
        self.assertEqual(psql(urls["postgresql"], "SELECT i FROM t"), "7")
        self.assertEqual(psql(urls["replica"], "SELECT i FROM t"), "7")

        directory = pathlib.Path(self.remembered("directory"))
        self.assertEqual(set(self.services("down").values()), {"-"})
        self.assertFalse(directory.exists())
        self.assertFalse(pathlib.Path(self.state).exists())
        self.assertEqual(set(self.services("down").values()), {"-"})

    def check_that_all_serve(self, urls):
        psql(urls["postgresql"], "CREATE TABLE t(i int); INSERT INTO t VALUES (7)")
        self.assertEqual(psql(urls["replica"], "SELECT pg_is_in_recovery()"), "t")
        self.wait_for_replica(urls)
        self.assertEqual(psql(urls["replica"], "SELECT i FROM t"), "7")
        self.assertEqual(self.redis(urls["redis"], "ping"), "PONG")
        self.assertNotEqual(self.redis(urls["redis"].replace("default:", "default:x"), "ping"), "PONG")
        self.assertEqual(pathlib.Path(self.state).stat().st_mode & 0o777, 0o600)

    def crash_postgres_and_redis(self):
        directory = pathlib.Path(self.remembered("directory"))
        postmaster = int((directory / "postgres/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        os.kill(int((directory / "redis.pid").read_text()), signal.SIGKILL)
        self.assertTrue(self.soon(lambda: self.services("status")["postgresql"] == "-"))
        self.assertTrue(self.soon(lambda: self.services("status")["redis"] == "-"))

    def test_commands_that_are_none_are_refused(self):
        done = subprocess.run([SCRIPT, "sideways", self.state], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("usage:", done.stderr)

    def redis(self, url, command):
        done = subprocess.run(["redis-cli", "--no-auth-warning", "-u", url, command], capture_output=True, text=True)
        return done.stdout.strip()

    def wait_for_replica(self, urls):
        end = psql(urls["postgresql"], "SELECT pg_current_wal_flush_lsn()")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{end}'"
        self.assertTrue(self.soon(lambda: psql(urls["replica"], replayed) == "t"))

    @staticmethod
    def soon(is_so):
        until = time.monotonic() + 60
        while not is_so():
            if time.monotonic() > until:
                return False
        return True  # Each question takes a process or more: nothing needs to sleep.


if __name__ == "__main__":
    unittest.main()
