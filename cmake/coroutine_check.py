#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds forms of coroutines that compile without a warning and then read freed memory or free it twice.

    coroutine_check.py [--include FOLDER]... [--stamp FILE] [--depfile FILE] SOURCE...

It reads the sources, and the headers that they include by "name" from the folders given or from beside them. What it
finds is printed as `file:line: sentence [rule]`, and the exit status is 1. Without findings the stamp is touched; the
depfile (for make and ninja) lists what was read.

The rules:
  await-aggregate   an aggregate made within an awaited call, `co_await f(db, {.text = x})`: GCC before 14 destroys it
                    twice. Braces as an argument count, for the type they make is not seen here; `{}` does not.
  one-await         two co_await in one statement: GCC before 14 confuses their temporaries.
  coroutine-lambda  a lambda with captures that is a coroutine: its captures die with the lambda object, which is
                    before the coroutine ends. So for every compiler (C++ Core Guidelines CP.51).

A line that must break a rule ends with `// tidy: NAME-OF-RULE because ...`.
"""
import argparse
import pathlib
import re
import sys

NAME_INSTEAD = ("GCC before 14 destroys an aggregate made within an awaited call twice: "
                "name it in a statement of its own, then await; "
                "if the type has constructors, write its name before the braces")
SPLIT_INSTEAD = "one co_await a statement: GCC before 14 confuses the temporaries of two, so name the first result"
MEMBER_INSTEAD = ("a coroutine lambda's captures die before the coroutine: write a function, "
                  "and pass it what it needs as parameters")

NOTE = re.compile(r"//\s*tidy:\s*([\w-]+) because \w+")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
AWAIT = re.compile(r"(?<!operator )(?<!operator)\bco_await\b")
LAMBDA = re.compile(r"\[[^\]\s][^\]]*\]\s*\([^()]*\)\s*(?:mutable\s*)?->\s*(?:\w+::)*Async<")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|(?:u8|[LuU])?R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                   r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def blank(text):
    """Comments become spaces, and literals what they are without their content; line numbers stay."""

    def spaces(match):
        # An #include keeps its name.
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start:match.start()].lstrip().startswith("#"):
            return match.group(0)
        blanked = re.sub(r"[^\n]", " ", match.group(0))
        return blanked if match.group(0).startswith("/") else '"' + blanked[1:-1] + '"'

    return TOKEN.sub(spaces, text)


def excused(line, rule):
    match = NOTE.search(line)
    return bool(match) and match.group(1) == rule


def expression_after(code, at):
    """What is awaited by the co_await that ends at `at`, as far as the statement goes: up to its `;`, the block of a
    lambda, or the end of the condition that holds it."""
    opened = []
    for i in range(at, len(code)):
        c = code[i]
        if c == ";":
            return code[at:i]
        if c in "([":
            opened.append(c)
        elif c == "{":
            before = code[at:i].rstrip()
            if before.endswith((")", "]")) or re.search(r"\b(mutable|noexcept)$|->[^(){}]*$", before):
                return code[at:i]
            opened.append(c)
        elif c in ")]}":
            if opened:
                opened.pop()
            elif c == "}" or closes_condition(code, i):
                return code[at:i]
    return code[at:]


def closes_condition(code, at):
    """Whether the `)` there belongs to `if (`, `while (`, `for (` or `switch (`."""
    depth = 0
    for i in range(at, -1, -1):
        depth += {")": 1, "(": -1}.get(code[i], 0)
        if depth == 0:
            return bool(re.search(r"\b(if|if\s+constexpr|while|for|switch)\s*$", code[max(0, i - 20):i]))
    return False


def findings(code):
    """(line number, rule, what to write instead) of text that blank() has gone over."""
    found = []
    last_end = -1
    for match in AWAIT.finditer(code):
        if match.start() < last_end:
            continue  # the second of a statement, which is told of already
        awaited = expression_after(code, match.end())
        last_end = match.end() + len(awaited)
        line = code.count("\n", 0, match.start()) + 1
        if AWAIT.search(awaited):
            found.append((line, "one-await", SPLIT_INSTEAD))
        # Designated, so an aggregate for certain; or braces in the place of an argument.
        if re.search(r"\{\s*\.[A-Za-z_]|[(,]\s*\{(?!\s*\})", awaited):
            found.append((line, "await-aggregate", NAME_INSTEAD))
    for match in LAMBDA.finditer(code):
        found.append((code.count("\n", 0, match.start()) + 1, "coroutine-lambda", MEMBER_INSTEAD))
    return sorted(found)


def with_headers(sources, folders):
    """The sources and the headers of the project that they include, each once."""
    waiting, seen = [pathlib.Path(source).resolve() for source in sources], {}
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen[path] = path.read_text(encoding="utf-8", errors="replace")
        for name in INCLUDE.findall(seen[path]):
            places = [folder / name for folder in (path.parent, *folders)]
            waiting += [place.resolve() for place in places if place.is_file()][:1]
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--include", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--stamp", type=pathlib.Path)
    parser.add_argument("--depfile", type=pathlib.Path)
    parser.add_argument("sources", nargs="*")
    arguments = parser.parse_args()
    files = with_headers(arguments.sources, arguments.include)
    count = 0
    for path, text in sorted(files.items()):
        lines = text.split("\n")
        for number, rule, instead in findings(blank(text)):
            if not excused(lines[number - 1], rule):
                print(f"{path}:{number}: error: {instead} [{rule}]")
                count += 1
    if arguments.depfile and arguments.stamp:
        names = " ".join(str(path).replace(" ", "\\ ") for path in sorted(files))
        arguments.depfile.write_text(f"{arguments.stamp}: {names}\n", encoding="utf-8")
    if count:
        return 1
    if arguments.stamp:
        arguments.stamp.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
