#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README's table of numbers is that of the stored run: `numbers_test.py CHECKOUT`.

Its figures are those of bench/results.json, its bounds those of bench/cases.py. After another run of all benches,
`python3 bench/run.py --readme` renews both files.
"""
import difflib
import pathlib
import re
import sys


def faults(root):
    sys.path.insert(0, str(root / "bench"))
    sys.dont_write_bytecode = True
    import cases
    import numbers_table

    if set(cases.BOUNDS) != set(cases.CASES):
        yield "bench/cases.py: BOUNDS and CASES are not of the same benches"
    results = numbers_table.stored()
    _, between, after = numbers_table.parts(numbers_table.README.read_text(encoding="utf-8"))
    if not after:
        yield f"README.md lacks {numbers_table.BEGIN.strip()} or {numbers_table.END.strip()}"
    wanted = numbers_table.section(results)
    if between != wanted:
        yield "README.md differs from bench/results.json and bench/cases.py; python3 bench/run.py --readme renews it:\n" + (
            "\n".join(difflib.unified_diff(between.splitlines(), wanted.splitlines(), "README.md", "wanted", lineterm="")))
    # Once more, without what wrote the table: each row's last column is a bound, and says so when it is missed.
    for text, figure, bound in re.findall(r"^\| (.+?) \| ([\d.].*?) \| ([\d.]+) \|$", between, re.M):
        if float(figure.split(",")[0]) < float(bound) and "," not in figure:
            yield f"README.md: {text}: {figure} is less than {bound}, and not said to be missed"


def main():
    found = list(faults(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) or "the table is that of bench/results.json")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
