#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build with ctest and counts cases: `run_tests.py BUILD [--label REGEX] [--names REGEX] [--files F...]`

--label picks tests by label, --names cases by MODULE.SUITE.CASE, --files those that a change of these files touches
(changed.py). Without any: all of them.

Up to three failed cases with real servers or processes are run again, alone, unless a sanitizer has found anything: a
machine may stop any process for seconds. Those that pass only then are named, and are defects all the same.

A label that was run whole must stay within its processor time in tests/budgets.json. Writes BUILD/test_results/totals:
passed, failed, and the cases that passed only when run again. Ends with 1 when something failed.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import xml.etree.ElementTree as xml

import changed

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUIET = re.compile(r"^ *Start +\d+:| Passed +[0-9.]+ sec$|^Internal ctest|^ *$|^Test project")
SANITIZER = re.compile(r"Sanitizer|runtime error:")
SERVERS = ("servers", "e2e", "extras")


def list_tests(build):
    """What ctest knows, in its order: the position is the test's number."""
    listing = json.loads(subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                                        stdout=subprocess.PIPE, text=True).stdout)
    tests = []
    for number, test in enumerate(listing["tests"], 1):
        labels = next((p["value"] for p in test.get("properties", []) if p["name"] == "LABELS"), [])
        command = test.get("command", [])
        cases = command[6].split(":") if len(command) > 6 and command[1].endswith("run_suite.py") else []
        tests.append({"number": number, "name": test["name"], "label": labels[0] if labels else "", "labels": labels,
                      "cases": cases, "library": command[4] if cases else ""})
    return tests


def full_names(test):
    return [f"{test['library']}.{case}" for case in test["cases"]] or [test["name"]]


def was_skipped(case):
    """It said itself that the machine lacks what it needs (SKIP_RETURN_CODE)."""
    return any("SKIP_RETURN_CODE" in skipped.get("message", "") for skipped in case.iter("skipped"))


def run_ctest(build, numbers, names=None):
    """Gives {test name: (seconds, passed)} and what was printed. Shows what fails as it fails."""
    junit = build / "test_results" / "ctest.xml"
    command = ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "--output-junit", junit,
               "--parallel", str(3 * (os.cpu_count() or 1)), "-I", "0,0,0," + ",".join(map(str, numbers))]
    environment = dict(os.environ, **({"BEDPLATE_TEST_CASES": names} if names else {}))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               env=environment, stdin=subprocess.DEVNULL)
    printed = []
    with open(build / "test_results" / "ctest.log", "a", encoding="utf-8") as log:
        for line in process.stdout:
            printed.append(line)
            log.write(line)
            if not QUIET.search(line):
                sys.stdout.write(line)
                sys.stdout.flush()
    process.wait()
    if not junit.exists():
        sys.exit(f"ctest did not finish (see {log.name})")
    results = {case.get("name"): (float(case.get("time", "0")), case.get("status") == "run" or was_skipped(case))
               for case in xml.parse(junit).getroot().iter("testcase")}
    junit.unlink()
    return results, "".join(printed)


def read_records(build):
    return [json.loads(path.read_text(encoding="utf-8")) for path in (build / "test_results").glob("*.json")]


def judge(tests, results, records):
    """{full name of a failed case: its test}, how many passed, and the names of those that were skipped. What stands for
    a whole test, which was stopped or never ran, has the test's name."""
    by_suite = {f"{r['library']}.{r['suite']}.{r['label']}": r for r in records}
    failed, passed, skipped = {}, 0, []
    for test in tests:
        if test["name"] not in results:
            failed[test["name"]] = test
            continue
        suite = test["cases"][0].split(".")[0] if test["cases"] else ""
        record = by_suite.get(f"{test['library']}.{suite}.{test['label']}") if test["cases"] else None
        if record is None:  # Not of GoogleTest, or stopped by the time limit: the test counts as one.
            failed |= {} if results[test["name"]][1] else {test["name"]: test}
            passed += results[test["name"]][1]
            continue
        bad = [name for name, case in record["cases"].items() if case["result"] in ("FAILED", "CRASHED")]
        if not bad and not results[test["name"]][1]:
            failed[test["name"]] = test
        failed |= {f"{test['library']}.{name}": test for name in bad}
        passed += sum(case["result"] == "OK" for case in record["cases"].values())
        skipped += [f"{test['library']}.{name}" for name, case in record["cases"].items() if case["result"] == "SKIPPED"]
    return failed, passed, skipped


def run_again(build, failed, printed):
    """The cases that pass when they are run again, alone."""
    if len(failed) > 3 or SANITIZER.search(printed):
        return []
    passed = []
    for name, test in failed.items():
        if test["label"] not in SERVERS:
            continue
        print(f"Again, alone: {name}", flush=True)
        case = name in full_names(test) and test["cases"]
        results, _ = run_ctest(build, [test["number"]], f"^{re.escape(name)}$" if case else None)
        if results.get(test["name"], (0, False))[1]:
            passed.append(name)
    return passed


def cpu_by_label(tests, results, records):
    """Processor seconds of each label. A test that is not of GoogleTest counts its time on the clock."""
    used = {}
    for record in records:
        used[record["label"]] = used.get(record["label"], 0) + record["cpu_s"]
    for test in tests:
        if not test["cases"] and test["name"] in results:
            used[test["label"]] = used.get(test["label"], 0) + results[test["name"]][0]
    return used


def over_budget(build, used):
    budgets = json.loads((ROOT / "tests" / "budgets.json").read_text(encoding="utf-8"))[build.name]
    over = []
    for label, seconds in sorted(used.items()):
        budget = budgets.get(label)
        print(f"    {label or 'others':8} {seconds:6.0f} s of processor time" + (f", of {budget}" if budget else ""))
        if budget and seconds > budget:
            over.append(label)
    return over


def choose(tests, options):
    chosen = tests
    if options.label:
        chosen = [test for test in chosen if any(re.search(options.label, label) for label in test["labels"] or [""])]
    if options.names:
        chosen = [test for test in chosen if any(re.search(options.names, name) for name in full_names(test))]
    if options.files is not None:
        chosen = changed.touched(ROOT, options.build, chosen, options.files)
    return chosen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--label")
    parser.add_argument("--names")
    parser.add_argument("--files", nargs="*")
    options = parser.parse_args()
    build = options.build = options.build.resolve()
    (build / "test_results").mkdir(exist_ok=True)
    for path in (build / "test_results").iterdir():
        path.unlink()

    tests = list_tests(build)
    chosen = choose(tests, options)
    if not chosen:
        sys.exit("no test has such a name")
    results, printed = run_ctest(build, [test["number"] for test in chosen], options.names)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = read_records(build)
    failed, passed, skipped = judge(chosen, results, records)
    flaky = run_again(build, failed, printed)
    for name in flaky:
        del failed[name]
    print(f"{passed + len(flaky)} passed, {len(failed)} failed; {used.ru_utime + used.ru_stime:.0f} s of processor time")
    for name in skipped:
        print(f"skipped: {name}")
    for name in failed:
        print(f"failed: {name}")
    over = []
    if not (options.names or options.files is not None):
        over = over_budget(build, cpu_by_label(tests, results, records))
    for label in over:
        print(f"failed: the tests of {build.name} labelled '{label}' need more than tests/budgets.json gives them")
    (build / "test_results" / "totals").write_text(
        f"{passed + len(flaky)} {len(failed) + len(over)} {' '.join(flaky)}\n", encoding="utf-8")
    return 1 if failed or over else 0


if __name__ == "__main__":
    sys.exit(main())
