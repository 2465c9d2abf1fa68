#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a described type with its table costs to compile: (50 types - none) / 50, as user and system CPU.

    python3 bench/compile_cost.py [--compiler clang++-19] [--types 50] [--rounds 3] [--most-ms 40]

Prints the medians, also of the type alone and of a type, its table and one call of each kind in a coroutine. Exit status
1: the type with its table costs more than --most-ms.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++23", "-O2", "-c", f"-I{ROOT}", "-DFMT_SHARED"]

HEAD = """#include "bedplate/sql/table.h"
using namespace bedplate;
constexpr ErrorCode kNone{Category::not_found, "none", "There is none."};
"""
TYPE = """
using Id@ = Id<struct IdTag@>;
struct Row@ {
  Id@ id;
  std::string title@;
  std::string description@;
  std::int64_t place@ = 0;
  std::optional<Time> due_at@;
  std::vector<std::string> labels@;
  Time created_at@{};
  Time updated_at@{};
  std::int64_t version = 1;
  static consteval auto describe() {
    using namespace schema;
    return object<Row@>("Something.", {
        field<&Row@::id>(read_only, "Names it."),
        field<&Row@::title@>(length{1, 200}, not_blank, example("Milk"), "What it is."),
        field<&Row@::description@>(length{0, 10'000}, "More."),
        field<&Row@::place@>(range{0, 1'000}, "Where it is."),
        field<&Row@::due_at@>("When."),
        field<&Row@::labels@>(length{0, 20}, unique, each(length{1, 40}), "Words."),
        field<&Row@::created_at@>(read_only, "When it was made."),
        field<&Row@::updated_at@>(read_only, "When it changed."),
        field<&Row@::version>(read_only, "Counts changes.")});
  }
};
const TypeInfo& type@() { return type_of<Row@>(); }
"""
TABLE = """
constexpr sql::Table<Row@> kRows@("rows@", sql::owner, sql::key<&Row@::id>, sql::version<&Row@::version>,
                                  sql::written_once<&Row@::created_at@>);
const sql::TableInfo& table@() { return kRows@; }
"""
CALLS = """
Async<void> calls@(sql::Transaction& tx, const Uuid& owner, const Id@& id) {
  Row@ row = co_await ok(kRows@.find_or(kNone, tx, owner, id));
  co_await ok(kRows@.insert(tx, owner, row));
  co_await ok(kRows@.update(tx, owner, row));
  co_await ok(kRows@.remove(tx, owner, row));
}
"""


def compile_ms(compiler, source):
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "types.cc")
        path.write_text(source)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([compiler, *FLAGS, path, "-o", os.devnull], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="clang++-19")
    parser.add_argument("--types", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-ms", type=float, default=40)
    options = parser.parse_args()
    cases = {"nothing": "", "type": TYPE, "type, table": TYPE + TABLE, "type, table, four calls": TYPE + TABLE + CALLS}
    taken = {name: [] for name in cases}
    for _ in range(options.rounds):  # interleaved, so that a busy machine is busy for all
        for name, text in cases.items():
            source = HEAD + "".join(text.replace("@", str(i)) for i in range(options.types))
            taken[name].append(compile_ms(options.compiler, source))
    nothing = statistics.median(taken["nothing"])
    costs = {name: (statistics.median(ms) - nothing) / options.types for name, ms in taken.items() if name != "nothing"}
    for name, ms in costs.items():
        print(f"{name}: {ms:.1f} ms each")
    return 0 if costs["type, table"] <= options.most_ms else 1


if __name__ == "__main__":
    sys.exit(main())
