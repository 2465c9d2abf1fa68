#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""header_examples.py ROOT TEMPLATE [COMPILER FLAGS...]: compiles the examples at the heads of public headers.

An example is a run of lines of the comment that a header begins with, indented by three spaces after the `//`, behind an
empty line of the comment. An empty line ends it. The template is C++ that declares what examples speak of, and says where they go:

    //@ bedplate/base/id.h         includes the header, and begins a namespace of its own for what follows
    //@ example                    all its examples
    //@ example 2                  its second one

All of it is one translation unit, checked with -fsyntax-only; faults are reported at the header's own lines. An example
that cannot be compiled as it stands is mended, in the header: what it leaves out is said in a comment.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HEADER = re.compile(r"^//@ (\S+\.h)$")
EXAMPLE = re.compile(r"^//@ example(?: (\d+))?$")


def examples(path):
    """[(line, [text, ...]), ...] of the comment at the head of a header."""
    found, current, before = [], None, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.startswith("//"):
            break
        if re.match(r"//   +\S", line) and (current or before == "//"):
            if not current:
                current = (number, [])
                found.append(current)
            current[1].append(line[5:])
        else:
            current = None
        before = line
    return found


def translation_unit(root, template):
    """The C++ text, and how many examples are in it."""
    includes, body, count, known, inside = [], [], 0, [], False
    for number, line in enumerate(template.read_text(encoding="utf-8").split("\n"), 1):
        if header := HEADER.match(line):
            name = header.group(1)
            includes.append(f'#include "{name}"')
            known = examples(root / name)
            body += ["}"] if inside else []
            body += [f"namespace of_{re.sub(r'[^a-z0-9]', '_', name)} {{", f'#line {number + 1} "{template}"']
            inside = True
        elif example := EXAMPLE.match(line):
            wanted = known[int(example.group(1)) - 1:][:1] if example.group(1) else known
            if not wanted:
                raise SystemExit(f"{template}:{number}: {name} has no such example")
            for first, lines in wanted:
                body += [f'#line {first} "{root / name}"', *lines]
            body.append(f'#line {number + 1} "{template}"')
            count += len(wanted)
        elif line.startswith("#include "):
            includes.append(line)
        else:
            body.append(line)
    return "\n".join([*includes, f'#line 1 "{template}"', *body, "}", ""]), count


def main():
    root, template, command = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    text, count = translation_unit(root, template)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "examples.cc"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run([*command, "-std=c++23", "-fsyntax-only", f"-I{root}", str(source)], check=False)
    print(f"{count} examples of {len(re.findall('^namespace of_', text, re.M))} headers")
    return 1 if done.returncode or not count else 0


if __name__ == "__main__":
    sys.exit(main())
