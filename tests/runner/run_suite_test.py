#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_suite.py with programs that behave as GoogleTest's do when something goes wrong."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUN_SUITE = pathlib.Path(__file__).parent / "run_suite.py"
HEAD = """import os, sys
cases = sys.argv[1].removeprefix("--gtest_filter=").split(":")
def begin(name): print("[ RUN      ]", name, flush=True)
def end(name, how="      OK"): print(f"[ {how} ] {name} (1 ms)", flush=True)
"""


class RunSuiteTest(unittest.TestCase):
    def run_suite(self, body, cases="S.a:S.b", only=None):
        """The exit status, and what became of each case."""
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program"
            program.write_text(f"#!{sys.executable}\n{HEAD}{body}", encoding="utf-8")
            program.chmod(0o755)
            environment = dict(os.environ, **({"BEDPLATE_TEST_CASES": only} if only else {}))
            status = subprocess.run([sys.executable, RUN_SUITE, f"{folder}/results", program, "library", "unit", cases],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment).returncode
            record = pathlib.Path(folder) / "results" / "library.S.unit.json"
            cases = json.loads(record.read_text(encoding="utf-8"))["cases"] if record.exists() else {}
        return status, {name: case["result"] for name, case in cases.items()}

    def test_all_pass(self):
        self.assertEqual(self.run_suite("for c in cases: begin(c); end(c)"), (0, {"S.a": "OK", "S.b": "OK"}))

    def test_a_failure_is_named(self):
        body = "for c in cases: begin(c); end(c, '  FAILED' if c == 'S.a' else '      OK')\nsys.exit(1)"
        self.assertEqual(self.run_suite(body), (1, {"S.a": "FAILED", "S.b": "OK"}))

    def test_those_behind_a_crash_still_run(self):
        body = "for c in cases:\n  begin(c)\n  if c == 'S.a': os.abort()\n  end(c)"
        self.assertEqual(self.run_suite(body), (1, {"S.a": "CRASHED", "S.b": "OK"}))

    def test_a_failure_of_the_process_alone_is_traced_to_its_case(self):
        body = "for c in cases: begin(c); end(c)\nsys.exit(23 if 'S.b' in cases else 0)"
        self.assertEqual(self.run_suite(body), (1, {"S.a": "OK", "S.b": "FAILED"}))

    def test_what_never_ran_has_failed(self):
        self.assertEqual(self.run_suite("begin('S.a'); end('S.a')"), (1, {"S.a": "OK", "S.b": "FAILED"}))
        self.assertEqual(self.run_suite("sys.exit(3)"), (1, {"S.a": "FAILED", "S.b": "FAILED"}))
        self.assertEqual(self.run_suite("for c in cases: begin(c); end(c)", only="no such case"), (1, {}))

    def test_a_value_of_several_lines(self):
        body = "for c in cases:\n  begin(c)\n  print('[  FAILED  ] ' + c + ', where GetParam() = a')\n  print('b (1 ms)')\n"
        self.assertEqual(self.run_suite(body + "sys.exit(1)", cases="S.a"), (1, {"S.a": "FAILED"}))


if __name__ == "__main__":
    unittest.main()
