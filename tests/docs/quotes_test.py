#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documentation quotes and links to is there: `quotes_test.py CHECKOUT`.

A block that names a file (```cpp path/from/the/document.h) is a piece of that file, letter for letter; a line of only
`...` stands for lines left out. A relative link leads to a file or folder, and its #fragment to a heading. A header that
the comment of another header names is one that exists, and so is each source that ARCHITECTURE.md names (x apart, which
stands for any).
"""
import pathlib
import re
import sys

SKIPPED = {"build", "node_modules", ".git"}
FENCE = re.compile(r"^```(\S*)(?: +(\S+))?\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)|src(?:set)?=\"([^\"]+)\"")
SOURCE = re.compile(r"`((?!x[._])[\w/]+\.(?:cc|h|py|txt))`")
HEADER = re.compile(r"(?<![\w/.])[\w/]+\.h\b")
LEFT_OUT = re.compile(r"^[ \t]*\.\.\.\n", re.M)


def documents(root):
    for path in sorted(root.rglob("*.md")):
        if not SKIPPED & set(path.relative_to(root).parts):
            yield path


def quote_faults(document, text):
    for _, name, quoted in FENCE.findall(text):
        if not name:
            continue
        source = document.parent / name
        if not source.is_file():
            yield f"quotes {name}, which does not exist"
            continue
        content, at = source.read_text(encoding="utf-8"), 0
        for piece in LEFT_OUT.split(quoted):
            found = content.find(piece, at)
            if found < 0:
                yield f"quotes what is not (any more) in {name}:\n{piece}"
                break
            at = found + len(piece)


def anchors(text):
    """As GitHub makes them of headings."""
    for heading in re.findall(r"^#+ +(.*)$", FENCE.sub("", text), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def link_faults(document, text):
    for match in LINK.findall(FENCE.sub("", text)):
        target = match[0] or match[1]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        path = document.parent / name if name else document
        if not path.exists():
            yield f"links to {name}, which does not exist"
        elif fragment and path.suffix == ".md" and fragment not in anchors(path.read_text(encoding="utf-8")):
            yield f"links to {target}, a heading that is not there"


def header_faults(root):
    headers = [path for path in sorted(root.rglob("*.h")) if not SKIPPED & set(path.relative_to(root).parts)]
    known = ["/" + str(path.relative_to(root)) for path in headers]
    for path in headers:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name in HEADER.findall(line.partition("//")[2]):
                if not any(other.endswith("/" + name) for other in known):
                    yield f"{path.relative_to(root)}:{number} names {name}, which does not exist"


def map_faults(root):
    known = ["/" + str(path.relative_to(root)) for path in root.rglob("*.*")
             if not SKIPPED & set(path.relative_to(root).parts)]
    for number, line in enumerate((root / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines(), 1):
        for name in SOURCE.findall(line):
            if not any(other.endswith("/" + name) for other in known):
                yield f"ARCHITECTURE.md:{number} names {name}, which does not exist"


def main():
    root, faults, count = pathlib.Path(sys.argv[1]).resolve(), 0, 0
    for document in documents(root):
        count += 1
        text = document.read_text(encoding="utf-8")
        for fault in [*quote_faults(document, text), *link_faults(document, text)]:
            faults += 1
            print(f"{document.relative_to(root)} {fault}")
    for fault in [*header_faults(root), *map_faults(root)]:
        faults += 1
        print(fault)
    print(f"{count} documents, {faults} faults")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
