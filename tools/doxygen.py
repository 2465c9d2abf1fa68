#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doxygen.py FOLDER: writes FOLDER/html, a reference of the public headers (cmake/public_headers.txt), with Doxygen.

A header begins with a manual in plain comments, which Doxygen would not show. So it reads each header through this
program (doxygen.py --filter HEADER), which makes that manual the documentation of the file, its examples code.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SETTINGS = {
    "PROJECT_NAME": "Bedplate",
    "EXTRACT_ALL": "YES",
    "GENERATE_LATEX": "NO",
    "QUIET": "YES",
    "HAVE_DOT": "NO",
    "CLASS_GRAPH": "NO",
    "WARNINGS": "NO",
    "WARN_IF_UNDOCUMENTED": "NO",
    "JAVADOC_AUTOBRIEF": "YES",
    "BUILTIN_STL_SUPPORT": "YES",
    "EXCLUDE_SYMBOLS": "*::detail*",
    "STRIP_FROM_PATH": str(ROOT),
    "USE_MDFILE_AS_MAINPAGE": str(ROOT / "docs/reference/README.md"),
    "INPUT_FILTER": f"{sys.executable} {ROOT / 'tools/doxygen.py'} --filter",
    "ENABLE_PREPROCESSING": "NO",
    "DISABLE_INDEX": "NO",
    "GENERATE_TREEVIEW": "YES",
}


def with_manual(text):
    """The comment at the head of a header, as the documentation of the file."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines) if not line.startswith("//")), len(lines))
    manual = ["/// @file"]
    for line in lines[1:end]:
        content = line[2:].removeprefix(" ")
        # Examples are indented by two more; Markdown takes four for code.
        manual.append("///" + (f"     {content[2:]}" if content.startswith("  ") and not content.lstrip().startswith("- ")
                               else f" {content}"))
    return "\n".join(manual + lines[end:])


def main():
    if sys.argv[1] == "--filter":
        path = pathlib.Path(sys.argv[2])
        text = path.read_text(encoding="utf-8")
        print(with_manual(text) if path.suffix == ".h" else text, end="")
        return 0
    names = (ROOT / "cmake/public_headers.txt").read_text(encoding="utf-8").split("\n")
    inputs = [str(ROOT / name) for name in names if name and not name.startswith("#")]
    settings = SETTINGS | {"OUTPUT_DIRECTORY": sys.argv[1],
                           "INPUT": " ".join([str(ROOT / "docs/reference/README.md"), *inputs])}
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    return subprocess.run(["doxygen", "-"], input=text, text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
