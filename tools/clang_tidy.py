#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy within a time budget: `clang_tidy.py BUILD-FOLDER [--budget SECONDS] [--all]`.

First what changed since the main branch (or since the last commit, on it), then each header alone, then the rest.
A file that was clean is not looked at again until it, a header of the project or .clang-tidy changes, so that
the work of one run is not lost for the next. What the budget left out is said.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

TIDY = "clang-tidy-19"


def git(*arguments):
    result = subprocess.run(["git", *arguments], capture_output=True, text=True)
    return result.stdout.split("\n") if result.returncode == 0 else []


def changed_files():
    base = next((line for line in git("merge-base", "HEAD", "origin/main") + git("rev-parse", "HEAD~1") if line), "HEAD")
    if base == git("rev-parse", "HEAD")[0]:
        base = next((line for line in git("rev-parse", "HEAD~1") if line), "HEAD")
    return set(git("diff", "--name-only", base)) | set(git("ls-files", "--others", "--exclude-standard"))


def digest(*texts):
    value = hashlib.sha256()
    for text in texts:
        value.update(text)
    return value.hexdigest()


class Work:
    """The translation units of a build folder, in the order in which they are worth looking at."""

    def __init__(self, build):
        self.build = build
        self.root = pathlib.Path.cwd()
        changed = changed_files()
        self.units = []
        for command in json.loads((build / "compile_commands.json").read_text()):
            path = pathlib.Path(command["file"])
            # The build has a source of one line for each header, to compile it alone.
            alone = path.suffix == ".cxx" and "_verify_interface_header_sets" in path.as_posix()
            if alone:
                name = path.as_posix().split("_verify_interface_header_sets/", 1)[1].removesuffix(".cxx")
            elif path.is_relative_to(self.root) and not path.is_relative_to(build.resolve()):
                name = path.relative_to(self.root).as_posix()
            else:
                continue
            rank = 0 if name in changed else 1 if alone else 2
            self.units.append((rank, name, path))
        self.units.sort()
        headers = sorted(self.root.glob("bedplate/**/*.h")) + sorted(self.root.glob("services/**/*.h"))
        self.context = digest((self.root / ".clang-tidy").read_bytes(), *(path.read_bytes() for path in headers))

    def key(self, name):
        return digest(self.context.encode(), name.encode(), (self.root / name).read_bytes())


def look_at(build, path):
    # GCC's own flags mean nothing to clang; sanitizers only cost time here.
    command = [TIDY, "--quiet", f"-p={build}", "--extra-arg=-Wno-unknown-warning-option",
               "--extra-arg=-fno-sanitize=all", str(path)]
    result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode == 0, result.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--budget", type=float, default=float(os.environ.get("BEDPLATE_TIDY_SECONDS", "300")))
    parser.add_argument("--all", action="store_true", help="no budget")
    options = parser.parse_args()
    work = Work(options.build)
    memory_path = options.build / "clang_tidy_clean.txt"
    clean = set(memory_path.read_text().split()) if memory_path.exists() else set()
    todo = [unit for unit in work.units if work.key(unit[1]) not in clean]
    end = time.monotonic() + options.budget
    failed, looked, still_clean = 0, 0, {work.key(unit[1]) for unit in work.units} & clean

    def one(unit):
        if not options.all and time.monotonic() > end:
            return unit, None, ""
        return unit, *look_at(options.build, unit[2])

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (_, name, _), passed, output in pool.map(one, todo):
            if passed is None:
                continue
            looked += 1
            if passed:
                still_clean.add(work.key(name))
            else:
                failed += 1
                print(output, end="", flush=True)
    memory_path.write_text("\n".join(sorted(still_clean)) + "\n")
    left = len(todo) - looked
    print(f"    {len(work.units)} files: {looked} looked at, {len(work.units) - len(todo)} clean before"
          + (f", {left} left out by the budget of {options.budget:.0f} s" if left else "")
          + (f", {failed} with findings" if failed else ""), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
