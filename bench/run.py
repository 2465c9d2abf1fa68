#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs benches and prints their table: `bench/run.py [NAME...]`; see bench/README.md. ./dev bench calls it.

`bench/run.py --readme` runs nothing: it takes the figures of the last run of all benches into bench/results.json, and
the table of README.md from there.
"""
import dataclasses
import datetime
import json
import platform
import sys

import cases
import numbers_table
from lab import CLIENT_CORE, ROUNDS, SERVER_CORE, WORK, compiler


def value(number, unit):
    if unit == "times":
        return f"{number:.2f}"
    return f"{number:.2f}" if not unit else f"{number:.0f} {unit}" if number >= 100 else f"{number:.1f} {unit}"


def print_table(results):
    rows = [("bench", "measured", "value", "must reach", "then", "")]
    for name, measures in results.items():
        for one in measures:
            sign = "<=" if one.unit else ">="
            must = f"{sign} {value(one.must, one.unit)}" if one.must is not None else "-"
            then = value(one.then, one.unit) if one.then is not None else "-"
            verdict = {True: "met", False: "MISSED", None: ""}[one.met()]
            rows.append((name, one.what, value(one.value, one.unit), must, then, verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths).rstrip())
    print()
    for name, measures in results.items():
        for one in measures:
            if one.note:
                print(f"{name}, {one.what}: {one.note}")


def keep(name, measures):
    path = WORK / f"{name}.json"
    path.write_text(json.dumps({
        "bench": name,
        **circumstances(),
        "measures": [{**dataclasses.asdict(one), "met": one.met()} for one in measures],
    }, indent=2) + "\n", encoding="utf-8")


def circumstances():
    return {
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": platform.platform(),
        "compiler": compiler(),
        "rounds": ROUNDS,
    }


def main():
    if sys.argv[1:] == ["--readme"]:
        return numbers_table.renew(WORK / "all.json")
    names = sys.argv[1:] or list(cases.CASES)
    unknown = [name for name in names if name not in cases.CASES]
    if unknown:
        raise SystemExit(f"no bench {', '.join(unknown)}; there are {', '.join(cases.CASES)}")
    WORK.mkdir(parents=True, exist_ok=True)
    if SERVER_CORE == CLIENT_CORE:
        print("warning: one core only; client and server take turns on it, the ratios say little", file=sys.stderr)
    results = {}
    for name in names:
        print(f"==> {name}", file=sys.stderr, flush=True)
        results[name] = cases.run(name)
        keep(name, results[name])
    if list(results) == list(cases.CASES):
        (WORK / "all.json").write_text(json.dumps({**circumstances(), "benches": {
            name: [dataclasses.asdict(one) for one in measures] for name, measures in results.items()
        }}, indent=2) + "\n", encoding="utf-8")
    print_table(results)
    missed = [name for name, measures in results.items() if any(one.met() is False for one in measures)]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
