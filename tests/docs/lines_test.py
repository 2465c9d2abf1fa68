#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lines_test.py ROOT: what a service costs to write: non-blank lines of .h, .cc and .sql without tests.

The numbers are promises of the documentation. A later capability may raise one, in the commit that states why.
"""
import pathlib
import sys

# folder: lines at most, files at most (CMake and tests apart)
BOUNDS = {
    "apps/tasks": (450, 12),  # 340 for the operations, 110 for what follows from a change: events, reminders, digests
    "docs/tutorial/guestbook": (100, 5),
    "docs/guides/wishlists": (220, 5),
}


def main():
    root = pathlib.Path(sys.argv[1])
    wrong = 0
    for folder, (lines_max, files_max) in BOUNDS.items():
        files = [path for path in sorted((root / folder).rglob("*"))
                 if path.suffix in (".h", ".cc", ".sql") and not path.name.endswith("_test.cc")]
        lines = sum(1 for path in files for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        print(f"{folder}: {lines} lines of {lines_max}, {len(files)} files of {files_max}")
        wrong += lines > lines_max or len(files) > files_max or not files
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
