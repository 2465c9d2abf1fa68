# SPDX-License-Identifier: Apache-2.0
"""README's table of numbers: made of bench/results.json, the figures of one run of all benches, and of the bounds.

tests/docs/numbers_test.py holds README to it.
"""
import json

import cases
from lab import ROOT

README, RESULTS = ROOT / "README.md", ROOT / "bench/results.json"
BEGIN, END = "<!-- bench/run.py --readme writes from here -->\n\n", "\n<!-- to here -->\n"

ROWS = [
    ("`GET /livez` through the whole stack, against the no-op server", "http", "of the raw limit"),
    ("the same, against nginx `return 200`", "http", "of nginx `return 200`"),
    ("the same, against Fastify", "http", "of Fastify"),
    ("the same, 16 requests in one write, against the no-op server", "http-pipelined", "of the raw limit"),
    ("reading one of 100 000 tasks with a signed token, against the no-op server", "tasks-read",
     "of the raw limit"),
    ("the same, against Fastify with node:sqlite and JWT", "tasks-read", "of Fastify + node:sqlite"),
    ("the same on PostgreSQL, against the no-op server", "tasks-read", "on PostgreSQL, of the raw limit"),
    ("listing 20 tasks, filtered and sorted, with total and links, against that Fastify", "tasks-list",
     "of Fastify + node:sqlite"),
    ("durable creates, 64 connections, against the same server without group commit", "tasks-write",
     "of the same server at batch size 1"),
    ("the same, against the no-op server", "tasks-write", "of the raw limit"),
    ("reading 1 KB of JSON into a validated struct, against rapidjson", "json", "read, of rapidjson"),
    ("writing it, against rapidjson", "json", "write, of rapidjson"),
    ("point reads of SQLite through the port, against bare prepared statements", "sql-sqlite",
     "point_read, of bare prepared statements in one read transaction"),
    ("point reads of PostgreSQL on two connections, against libpq awaited by as many callers", "sql-postgres",
     "point_read, of libpq awaited on as many connections"),
    ("hits of the in-process cache, two threads, against a mutex, map and list", "cache", "hits, of mutex + map + list"),
    ("pipelined GETs of Redis by 64 callers on one connection, against `redis-benchmark -P 64`", "redis",
     "pipelined GETs, of redis-benchmark -P 64"),
]


def figure(value):
    return f"{value:.2f}" if value < 2 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def row(results, text, bench, what):
    value, must = results["measures"][bench][what], cases.BOUNDS[bench][what][0]
    asked = what not in results["not_asked"].get(bench, [])
    missed = ", missed" if asked and value < must else "" if asked else ", not asked of this machine"
    return f"| {text} | {figure(value)}{missed} | {must:g} |\n"


def absolute(results, bench, what, unit):
    value = results["measures"][bench][what]
    bound = cases.BOUNDS[bench].get(what)
    missed = f" (at most {bound[0]:g} {unit}: missed)" if bound and value > bound[0] else ""
    return f"{figure(value)} {unit}{missed}"


def section(results):
    """What stands between the marks."""
    start = [absolute(results, "start", what, unit) for what, unit in (
        ("from exec to the first connection", "ms"), ("idle memory", "MiB"), ("stripped binary", "MiB"))]
    disk = absolute(results, "tasks-write", "fsync p50", "µs")
    return ("| what | measured | at least |\n| --- | --- | --- |\n" + "".join(row(results, *one) for one in ROWS)
            + f"\nStart to first connection {start[0]}; idle memory {start[1]}; stripped binary {start[2]}. (Two cores of a\n"
            f"shared virtual machine, Debian 12, {results['compiler']}; fsync p50 {disk}.)\n")


def stored():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def parts(readme):
    """(before, between, after) the marks."""
    before, _, rest = readme.partition(BEGIN)
    between, _, after = rest.partition(END)
    return before, between, after


def renew(last):
    """Takes the last run of all benches into results.json and README.md."""
    if not last.exists():
        raise SystemExit(f"{last} does not exist: ./dev bench, without names, makes it")
    run = json.loads(last.read_text(encoding="utf-8"))
    results = {
        "compiler": run["compiler"],
        "measures": {name: {one["what"]: float(f"{one['value']:.3g}") for one in measures}
                     for name, measures in run["benches"].items()},
        "not_asked": {name: skipped for name, measures in run["benches"].items()
                      if (skipped := [one["what"] for one in measures if not one["asked"]])},
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    before, _, after = parts(README.read_text(encoding="utf-8"))
    README.write_text(before + BEGIN + section(results) + END + after, encoding="utf-8")
    return 0
