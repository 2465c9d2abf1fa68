#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which tests a change touches.

A test file of the same library is touched by a change of itself, of a header that it includes, or of the source beside such
a header. The tests of the services and the applications are always among them: they use all of the framework.

`changed.py FILES...` prints the build's targets with these tests.
"""
import pathlib
import re
import subprocess
import sys

ALWAYS = ("services/", "apps/")
SUITE = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+)")


def folder_of(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] in ("bedplate", "services", "apps", "tests") else parts[0]


def read_includes(root, build):
    """{test source: the project's files that it includes}, as the compiler found them."""
    printed = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, stdout=subprocess.PIPE, text=True).stdout
    includes = {}
    for block in printed.split("\n\n"):
        files = [line.strip() for line in block.split("\n")[1:]]
        files = [str((build / name).resolve()) for name in files if not name.startswith("/usr/")]
        names = [name.removeprefix(f"{root}/") for name in files if name.startswith(f"{root}/")]
        if names and names[0].endswith("_test.cc"):
            includes[names[0]] = set(names)
    return includes


def is_touched(source, includes, files):
    for name in files:
        if name in includes or name.removesuffix(".cc") + ".h" in includes and folder_of(name) == folder_of(source):
            return True
    return False


def touched(root, build, tests, files):
    includes = read_includes(root, build)
    libraries = {folder_of(name) for name in files}
    sources = {source for source, names in includes.items()
               if source.startswith(ALWAYS) or folder_of(source) in libraries and is_touched(source, names, files)}
    # A source that no test beside it includes by a header: every test of its library.
    for name in files:
        if not any(name in includes[source] or is_touched(source, includes[source], [name]) for source in includes):
            sources |= {source for source in includes if folder_of(source) == folder_of(name)}
    suites = set()
    for source in sources:
        suites |= {suite for suite in SUITE.findall((root / source).read_text(encoding="utf-8"))}
    return [test for test in tests
            if test["label"] == "tidy" or test["cases"] and suites & set(test["cases"][0].split(".")[0].split("/"))]


def targets(files):
    names = {"bedplate_identity_test", "bedplate_tasks_test"}
    for name in files:
        library = folder_of(name).split("/")
        if library[0] in ("bedplate", "services", "apps") and name.endswith((".cc", ".h")):
            names.add(f"bedplate_{library[1]}_test")
        elif library[0] in ("server", "tests"):
            names |= {"bedplate", "bedplate_e2e_test"}
    return sorted(names)


if __name__ == "__main__":
    print("\n".join(targets(sys.argv[1:])))
