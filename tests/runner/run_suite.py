#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cases of a GoogleTest program in one process: `run_suite.py RESULTS PROGRAM MODULE LABEL CASE:CASE...`

A case that ends the process (a crash, a sanitizer's finding) is a failure of that case, and those behind it go on in a
process of their own. When the process fails though each case passed (a leak, a data race that is reported at the end),
each is run alone, to name the one that it was.

Writes RESULTS/MODULE.SUITE.LABEL.json: the cases with what became of them and their seconds, and the processor time of
all of it, children included. BEDPLATE_TEST_CASES, a regular expression, runs only cases whose MODULE.SUITE.CASE it finds.
"""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

ENDED = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] ([^ ,]+).*\((\d+) ms\)$")
FAILED = re.compile(r"\[ +FAILED +\] ([^ ,]+), where ")  # The value may be printed over several lines.
BEGUN = re.compile(r"\[ RUN +\] (\S+)$")


def run(program, cases):
    """Runs them in one process. Gives what became of each case that ended, the one that was running when the process
    ended, and the status."""
    ended, running = {}, None
    process = subprocess.Popen([program, "--gtest_filter=" + ":".join(cases)], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", stdin=subprocess.DEVNULL)
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        if match := BEGUN.search(line):
            running = match.group(1)
        elif (match := ENDED.search(line)) and match.group(2) == running:
            ended[running] = (match.group(1), int(match.group(3)) / 1000)
            running = None
        elif (match := FAILED.search(line)) and match.group(1) == running:
            ended[running] = ("FAILED", 0.0)
            running = None
    return ended, running, process.wait()


def run_all(program, cases):
    results, left = {}, list(cases)
    while left:
        ended, crashed, status = run(program, left)
        results |= ended
        if crashed:
            print(f"run_suite.py: {program} ended with status {status} in {crashed}", flush=True)
            results[crashed] = ("CRASHED", 0.0)
        elif not set(ended) & set(left):
            return results  # The program has none of them, or ended before the first.
        elif status and not any(result == "FAILED" for result, _ in ended.values()):
            return results | blame(program, [case for case in left if case in ended], results)
        left = [case for case in left if case not in results]
    return results


def blame(program, cases, results):
    print("run_suite.py: every case passed, yet the process failed; each again, alone", flush=True)
    blamed = {}
    for case in cases:
        if run(program, [case])[2]:
            blamed[case] = ("FAILED", results[case][1])
    return blamed or {cases[-1]: ("FAILED", results[cases[-1]][1])}


def main(folder, program, library, label, *names):
    cases = ":".join(names).split(":")
    suite = cases[0].split(".")[0]
    if wanted := os.environ.get("BEDPLATE_TEST_CASES"):
        cases = [case for case in cases if re.search(wanted, f"{library}.{case}")]
    if not cases:
        sys.exit(f"run_suite.py: no case of {library}.{suite} has such a name")
    start = time.monotonic()
    results = run_all(program, cases)
    for case in cases:
        if case not in results:
            print(f"run_suite.py: {case} was not run")
            results[case] = ("FAILED", 0.0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    record = {"library": library, "label": label, "suite": suite, "program": program,
              "wall_s": round(time.monotonic() - start, 3), "cpu_s": round(used.ru_utime + used.ru_stime, 3),
              "cases": {name: {"result": result, "seconds": seconds} for name, (result, seconds) in results.items()}}
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{library}.{suite}.{label}.json".replace("/", "-")).write_text(json.dumps(record), encoding="utf-8")
    return 1 if any(result in ("FAILED", "CRASHED") for result, _ in results.values()) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(*sys.argv[1:]))
