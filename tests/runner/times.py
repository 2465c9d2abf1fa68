#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the time of a test run goes: `times.py BUILD...` prints the slowest 40 files to compile, from ninja's own record,
the slowest 40 cases, from that of the tests, and the sums of each pass."""
import json
import pathlib
import sys

ROWS = 40


def read_compiles(build):
    """(seconds, output) of each step of the build that is in force, the slowest first."""
    newest = {}
    for line in (build / ".ninja_log").read_text(encoding="utf-8").split("\n")[1:]:
        parts = line.split("\t")
        if len(parts) == 5:
            newest[parts[3]] = (int(parts[1]) - int(parts[0])) / 1000
    return sorted(((seconds, output) for output, seconds in newest.items()), reverse=True)


def kind(output):
    if not output.endswith(".o"):
        return "linking and the rest"
    if "verify_interface_header_sets" in output:
        return "headers alone"
    if "_test.dir/" in output:
        return "compiling tests"
    return "compiling the rest"


def read_records(build):
    folder = build / "test_results"
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")] if folder.exists() else []


def print_times(build):
    compiles = read_compiles(build)
    print(f"\n{build.name}: the slowest files to compile (seconds on the clock)")
    for seconds, output in [row for row in compiles if row[1].endswith(".o")][:ROWS]:
        print(f"{seconds:8.1f}  {output}")
    records = read_records(build)
    print(f"\n{build.name}: the slowest tests")
    cases = sorted(((case["seconds"], record["library"], name) for record in records
                    for name, case in record["cases"].items()), reverse=True)
    for seconds, library, name in cases[:ROWS]:
        print(f"{seconds:8.1f}  {library}.{name}")
    print(f"\n{build.name}: sums")
    sums = {}
    for seconds, output in compiles:
        sums[kind(output)] = sums.get(kind(output), 0) + seconds
    for name, seconds in sorted(sums.items()):
        print(f"{seconds:8.0f} s  {name}")
    print(f"{sum(record['wall_s'] for record in records):8.0f} s  tests, on the clock")
    print(f"{sum(record['cpu_s'] for record in records):8.0f} s  tests, of processor time")


if __name__ == "__main__":
    for folder in map(pathlib.Path, sys.argv[1:]):
        if (folder / ".ninja_log").exists():
            print_times(folder)
