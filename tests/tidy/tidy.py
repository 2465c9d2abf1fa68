#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the rules of the project that a compiler cannot: `tidy.py ROOT` prints what breaks them.

What it checks, each in a function of its own below:
  layering        a library includes only libraries below it, and links those it includes
  doors           outsiders include nothing of a service or an application but its api.h; server/ and tests wire,
                  so they may include the rest too, its store apart
  banned calls    what the project does not use, and what to use instead
  coroutines      forms that GCC 12 compiles wrongly (cmake/coroutine_check.py)
  dead headers    a header that no file includes
  own header      a source includes the header of its name first
  threads         ThreadSanitizer runs each test that starts threads (tests/threads.txt)
  installed       a header of the framework or of a service includes nothing that is never installed: tests, applications;
                  the public headers (cmake/public_headers.txt) exist
  one definition  a type that two headers define
  license         each source begins with its SPDX line (migrations apart: a comment would change their checksums)
  shape           length, white space, #pragma once

(That each header compiles alone is checked by the build: target all_verify_interface_header_sets.)
A line that must break a rule ends with `// tidy: NAME-OF-RULE because ...`.
"""
import pathlib
import posixpath
import re
import sys

# Shared with the projects of others: it is installed with the CMake package.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "cmake"))
import coroutine_check

# Which libraries a library may include, itself apart. The order is that of ARCHITECTURE.md: lower never includes higher.
BELOW = {
    "base": [],
    "unicode": ["base"],
    "schedule": ["base"],
    "async": ["base"],
    "describe": ["base"],
    "config": ["base", "describe"],
    "telemetry": ["base", "async", "describe", "config"],
    "sql": ["base", "async", "describe", "telemetry"],
    "sqlite": ["base", "async", "describe", "telemetry", "sql"],
    "postgresql": ["base", "async", "describe", "telemetry", "sql"],
    "drivers": ["base", "sql", "sqlite", "postgresql"],
    "transfer": ["base", "async", "describe", "telemetry", "sql"],
    "search": ["base", "unicode", "async", "describe", "telemetry", "sql"],
    "events": ["base", "async", "describe", "telemetry", "sql"],
    "http": ["base", "async", "describe", "telemetry"],
    "outbound": ["base", "async", "describe", "telemetry", "http"],
    "auth": ["base", "async", "describe", "telemetry"],
    "redis": ["base", "async", "telemetry"],
    "cache": ["base", "async", "describe", "telemetry", "redis"],
    "operations": ["base", "unicode", "async", "describe", "telemetry", "sql", "auth"],
    "execution": ["base", "unicode", "async", "describe", "telemetry", "sql", "auth", "cache", "operations"],
    "jobs": ["base", "schedule", "async", "describe", "telemetry", "sql", "auth", "operations", "execution"],
    "consumers": ["base", "async", "describe", "telemetry", "sql", "auth", "operations", "execution", "events"],
    "surfaces": ["base", "unicode", "async", "describe", "config", "telemetry", "sql", "http", "auth", "cache",
                 "operations", "execution"],
    "app": ["base", "schedule", "async", "events", "consumers", "describe", "config", "telemetry", "sql", "sqlite", "drivers", "transfer", "search", "http",
            "auth", "redis", "cache", "operations", "execution", "surfaces", "jobs"],
    "testing": ["base", "async", "describe", "config", "telemetry", "sql", "http", "auth", "redis", "cache",
                "operations", "execution", "surfaces", "app", "jobs"],
}
# What the tests of a library may include besides: suites that every driver passes open each of them.
DRIVERS = ("sqlite", "postgresql", "drivers", "transfer", "search")
TEST_ONLY = {library: DRIVERS for library in ("sql", "sqlite", "postgresql", "transfer", "search", "events", "consumers", "execution", "jobs", "surfaces", "app")}
# Libraries in a folder of another one.
INNER = {("sql", name) for name in ("sqlite", "postgresql", "drivers", "transfer")} | {("events", "consumers")}

LINES_MAX = 700
COLUMNS_MAX = 120  # The layout's limit is 110; it leaves comments and long texts alone.
LIBRARY = ("bedplate/", "extras/", "services/", "apps/")

# (name, pattern, where it does not hold, what to do instead)
BANNED = [
    ("stdout", r"\b(std::cout|std::cerr|std::printf|printf|puts|fmt::print)\b\s*[(<]", r"^(bedplate/app/|server/|services/\w+/admin_commands\.cc)",
     "a library does not write to the terminal: return an Error or use base/log.h"),
    ("iostream", r"#\s*include <iostream>", None, "it costs start-up time in every program: use base/log.h or fmt"),
    ("regex", r"#\s*include <regex>|\bstd::regex\b", None, "slow, and no bound on its stack: use RE2"),
    ("thread-unsafe", r"\b(strtok|localtime|gmtime|asctime|ctime|rand|srand|setenv|putenv)\s*\(", None,
     "not thread-safe: use the _r form, base/time.h or base/random.h"),
    ("unbounded", r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(", None, "no bound on what it writes"),
    ("shell", r"\b(std::system|system|popen)\s*\(", None, "no shell is run from the program"),
    ("detach", r"\.detach\(\)", r"^bedplate/sql/postgresql/cancel\.cc$",
     "a thread that nobody joins outlives what it uses"),
    ("assembly-order", r"\bstd::(async|thread::hardware_concurrency)\s*[(<]", r"^bedplate/(app|async)/",
     "threads come from async/"),
    ("endl", r"\bstd::endl\b", None, "it flushes: write '\\n'"),
]
SPDX = "SPDX-License-Identifier: Apache-2.0"
TOPS = ("bedplate", "extras", "services", "apps", "server", "tests", "bench", "docs")
LICENSED = (".h", ".cc", ".py", ".sh", ".cmake", ".in", ".js", ".css", ".yml")
LICENSED_NAMES = ("CMakeLists.txt", "dev", ".ci/run")
SLEEP = re.compile(r"\b(std::this_thread::sleep_(for|until)|usleep|nanosleep)\s*\(|(?<![\w:])sleep\s*\(\d")
INCLUDE = re.compile(r'^\s*#\s*include "([^"]+)"')


class Source:
    """One C++ file. `code` has its comments and string literals blanked, line by line."""

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.raw = path.read_text(encoding="utf-8")
        self.lines = self.raw.split("\n")
        self.code = coroutine_check.blank(self.raw).split("\n")
        self.includes = [(number, match.group(1)) for number, line in enumerate(self.lines, 1)
                         if (match := INCLUDE.match(line))]
        self.is_header = self.name.endswith(".h")
        self.is_test = self.name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")) or self.name.startswith("tests/")

    def excused(self, number, rule):
        return coroutine_check.excused(self.lines[number - 1], rule)

    def own_library(self):
        return library_of(self.name)


def library_of(name):
    """The library of the framework that a file belongs to, or None."""
    parts = name.split("/")
    if parts[0] != "bedplate" or len(parts) < 3:
        return None
    return parts[2] if tuple(parts[1:3]) in INNER else parts[1]


def folder_of(library):
    return next((f"bedplate/{outer}/{inner}" for outer, inner in INNER if inner == library), f"bedplate/{library}")


def sources(root):
    found = []
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc") and "node_modules" not in path.parts:
                found.append(Source(root, path))
    return found


def check_layering(source, links):
    library = source.own_library()
    if library is None:
        if source.name.startswith(("services/", "apps/", "server/")):
            for number, include in source.includes:
                if include.startswith("extras/"):
                    yield number, "layering", "nothing includes extras/"
        return
    if library not in BELOW:
        yield 1, "layering", f"the library '{library}' has no place in the order: add it to BELOW and ARCHITECTURE.md"
        return
    for number, include in source.includes:
        other = library_of(include)
        if include.startswith(("services/", "apps/", "server/", "extras/")):
            yield number, "layering", f"the framework does not know about {include.split('/')[0]}/"
        elif source.is_test and other == "testing":
            continue  # The test kit of applications; CMake links it.
        elif other is not None and other != library:
            if other not in BELOW[library] and not (source.is_test and other in TEST_ONLY.get(library, ())):
                yield number, "layering", f"{library}/ stands below {other}/ and does not include it"
            elif not source.is_test and other not in links.get(library, BELOW):
                yield number, "layering", f"includes {other}/, which {folder_of(library)}/CMakeLists.txt does not link"


def check_doors(source):
    own = "/".join(source.name.split("/")[:2])
    for number, include in source.includes:
        parts = include.split("/")
        if parts[0] not in ("services", "apps") or len(parts) < 3 or "/".join(parts[:2]) == own:
            continue
        if source.name.startswith("services/") and parts[0] == "apps":
            yield number, "doors", "a platform service does not know about applications"
        elif (source.name.startswith("server/") or source.is_test) and parts[2:] != ["store.h"]:
            continue
        elif parts[2:] not in (["api.h"], ["module.h"]):
            yield number, "doors", f"outsiders include only {parts[0]}/{parts[1]}/api.h, programs module.h too"


def check_banned_calls(source):
    for number, line in enumerate(source.code, 1):
        if source.name.startswith(LIBRARY) and not source.is_test:
            for rule, pattern, exempt, instead in BANNED:
                if re.search(pattern, line) and not (exempt and re.match(exempt, source.name)):
                    yield number, rule, instead
        if source.is_test and SLEEP.search(line):
            yield number, "sleep", "a test waits for what it needs, not for time to pass"
        if source.is_header and re.match(r"using namespace", line):
            yield number, "using-namespace", "a header does not open a namespace for those who include it"
        if re.search(r"\b(FIXME|XXX|HACK)\b|\bTODO\b(?!: \w+ \w+)", source.lines[number - 1]):
            yield number, "todo", "say what is missing: `TODO: a sentence`"


def check_coroutines(source):
    yield from coroutine_check.findings("\n".join(source.code))


def check_shape(source):
    if len(source.lines) - 1 > LINES_MAX:
        yield LINES_MAX, "length", f"{len(source.lines) - 1} lines, more than {LINES_MAX}: split it by subject"
    if source.is_header and "#pragma once" not in source.lines:
        yield 1, "pragma-once", "a header starts with a comment that says what it is, then #pragma once"
    if not source.raw.endswith("\n") or source.raw.endswith("\n\n"):
        yield len(source.lines), "white-space", "a file ends with one newline"
    for number, line in enumerate(source.lines, 1):
        if line != line.rstrip() or "\t" in line:
            yield number, "white-space", "no tabs, none at the end of a line"
        if len(line) > COLUMNS_MAX:
            yield number, "width", f"{len(line)} columns, more than {COLUMNS_MAX}"


def check_dead_headers(all_sources):
    included = set()
    for source in all_sources:
        for _, include in source.includes:
            included |= {include, posixpath.join(posixpath.dirname(str(source.name)), include)}
    for source in all_sources:
        if source.is_header and source.name not in included:
            yield source, 1, "dead-header", "nobody includes this header"


def is_installed(name):
    return name.startswith(("bedplate/", "extras/", "services/"))


def check_installed(source):
    if not source.is_header or not is_installed(source.name):
        return
    for number, include in source.includes:
        if not is_installed(include):
            yield number, "installed", f"{include} is not installed, so this header would not compile where it is"


def check_public(root):
    path = root / "cmake" / "public_headers.txt"
    page = root / "docs" / "reference" / "README.md"
    reference = page.read_text(encoding="utf-8") if page.exists() else ""
    listed = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n") if path.exists() else [], 1):
        if line and not line.startswith("#") and not (root / line).exists():
            yield "cmake/public_headers.txt", number, "installed", f"{line} does not exist"
        elif line and not line.startswith("#") and f"[{line}]" not in reference:
            yield "cmake/public_headers.txt", number, "installed", f"docs/reference/README.md does not list {line}"
    for line in re.findall(r"^\| \[([^\]]+\.h)\]", reference, re.M):
        if line not in listed:
            yield "docs/reference/README.md", 1, "installed", f"{line} is not in cmake/public_headers.txt"


def check_own_header(source):
    if source.is_test or not source.name.endswith(".cc"):
        return
    own = source.name.removesuffix(".cc") + ".h"
    if own in (names := [include for _, include in source.includes]) and names[0] != own:
        yield source.includes[0][0], "own-header", f"{own} comes first, so that compiling this shows that it compiles alone"


THREAD = re.compile(r"\bstd::j?thread\b")


def check_threads(root, all_sources):
    """tests/threads.txt names tests that exist, and each test that starts threads, end-to-end tests apart."""
    path = root / "tests" / "threads.txt"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    listed = {line for line in text.split("\n") if line and not line.startswith("#")}
    tests = {source.name: source for source in all_sources if source.name.endswith("_test.cc")}
    for name in sorted(listed - set(tests)):
        yield "tests/threads.txt", 1, "threads", f"{name} does not exist"
    for name in sorted(set(tests) - listed):
        if not name.startswith(("tests/", "docs/")) and any(THREAD.search(line) for line in tests[name].code):
            yield name, 1, "threads", "it starts threads: list it in tests/threads.txt"


def check_license(root):
    paths = [root / name for name in LICENSED_NAMES]
    for top in (*TOPS, "cmake", "tools", ".ci", ".github"):
        paths += [path for path in sorted((root / top).rglob("*")) if "node_modules" not in path.parts]
    for path in paths:
        if not path.is_file() or not (path.suffix in LICENSED or path.name in LICENSED_NAMES):
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        if SPDX not in lines[1 if lines[0].startswith("#!") else 0]:
            yield path.relative_to(root).as_posix(), 1, "license", f"a source begins with the line `{SPDX}`"


TYPE_OR_SCOPE = re.compile(
    r"\b(?:inline\s+)?namespace\s*(?P<space>[\w:]*)\s*(?:\[\[[^\]]*\]\]\s*)?\{"
    r"|\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:\[\[[^\]]*\]\]\s*|alignas\([^)]*\)\s*)*"
    r"(?P<type>\w+)\s*(?:final\s*)?(?::(?!:)[^;{}()]*)?\{"
    r"|(?P<open>\{)|(?P<close>\})")


def types_defined(source):
    """(line, qualified name) of each type that stands in a namespace. A specialisation is another type."""
    text = "\n".join(source.code)
    scopes = []  # Names of namespaces; None for any other braces.
    for match in TYPE_OR_SCOPE.finditer(text):
        if match.group("close"):
            if scopes:
                scopes.pop()
        elif match.group("type"):
            if None not in scopes and "" not in scopes:
                yield text.count("\n", 0, match.start()) + 1, "::".join([*scopes, match.group("type")])
            scopes.append(None)
        else:
            scopes.append(None if match.group("open") else match.group("space"))


def check_one_definition(all_sources):
    defined = {}
    for source in all_sources:
        for number, name in types_defined(source) if source.is_header else ():
            other = defined.setdefault(name, source.name)
            if other != source.name:
                yield source, number, "one-definition", f"{name} is another type in {other}: rename one"


def linked_libraries(root):
    """For each library of the framework: the libraries it links, and theirs."""
    direct = {}
    for library in BELOW:
        path = root / folder_of(library) / "CMakeLists.txt"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        call = re.search(r"bedplate_library\((.*?)\)", text, re.S)
        libraries = call.group(1).split("TEST_LINK")[0] if call else ""
        direct[library] = {name for name in re.findall(r"\bbedplate_(\w+)", libraries) if name in BELOW}
    closed = {}
    for library in BELOW:  # From low to high, so that those below are closed already.
        closed[library] = direct[library].union(*(closed.get(other, set()) for other in direct[library]))
    return closed


def findings(root):
    """Every (file, line, rule, sentence), in the order of the files."""
    links = linked_libraries(root)
    everything = sources(root)
    for source in everything:
        checks = (check_layering(source, links), check_doors(source), check_banned_calls(source),
                  check_coroutines(source), check_shape(source), check_installed(source),
                  check_own_header(source))
        for check in checks:
            for number, rule, sentence in check:
                if not source.excused(number, rule):
                    yield source.name, number, rule, sentence
    for source, number, rule, sentence in [*check_dead_headers(everything), *check_one_definition(everything)]:
        if not source.excused(number, rule):
            yield source.name, number, rule, sentence
    yield from check_public(root)
    yield from check_threads(root, everything)
    yield from check_license(root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    count = 0
    for name, number, rule, sentence in findings(root):
        print(f"{name}:{number}: {sentence} [{rule}]")
        count += 1
    if count:
        print(f"{count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
