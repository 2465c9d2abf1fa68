# SPDX-License-Identifier: Apache-2.0
"""The benches, one function each: it runs its rounds and returns the lines of the table; run() adds their bounds."""
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import time

import growth_data
import sharding_chart
import tasks_data
from lab import (NODE, PEER, RELEASE, ROOT, ROUNDS, WORK, Measure, bedplate, cost, fastify, fsync_p50_us, nginx, of, ratio,
                 raw_limit, take_turns)
from postgres import Postgres

# What must be reached, which is the project's promise, and where it wants to be then. Of what has a unit (a time, a size,
# a share of keys) less is better, of the others, which are ratios, more.
BOUNDS = {
    "http": {
        "of the raw limit": (0.85, 0.92),
        "of nginx `return 200`": (1.05, None),
        "of Fastify": (2.5, None),
        "user CPU a request": (1200, None),
    },
    "http-pipelined": {"of the raw limit": (0.5, 0.7)},
    "tasks-read": {
        "of the raw limit": (0.48, 0.6),
        "of Fastify + node:sqlite": (5, None),
        "on PostgreSQL, of the raw limit": (0.3, 0.4),
    },
    "tasks-growth": {f"{engine}{what}": (1.5, None) for engine in ("", "on PostgreSQL, ")
                     for what in list(growth_data.LISTS)[:4]},
    "tasks-list": {"of Fastify + node:sqlite": (4, 8)},
    "tasks-write": {
        "of the same server at batch size 1": (6.5, 10),
        "of the raw limit": (0.13, 0.25),
    },
    "json": {"read, of rapidjson": (3, 4), "write, of rapidjson": (3, 4)},
    "sql-sqlite": {"point_read, of bare prepared statements in one read transaction": (0.6, 0.8)},
    "sql-postgres": {"point_read, of libpq awaited on as many connections": (4, 6)},
    "jobs": {
        "enqueue, of the same commands without the job": (0.8, None),
        "work, of commands that write the same row": (0.8, None),
        "on PostgreSQL, enqueue, of the same commands without the job": (0.75, None),
    },
    "sharding": {
        "keys moved when a shard joins, of 1/N, the worst of 2 to 1000": (1.1, 1.02),
        "fullest shard, of the mean, the worst of 1 to 1000": (1.1, 1.02),
    },
    "cache": {
        "hits, of mutex + map + list": (2, 4),
        "hits_shared, of shared_mutex + map": (1, None),
        "zipf_0.7, of LRU": (1, None),
        "zipf_0.9, of LRU": (1, None),
        "zipf_1.1, of LRU": (1, None),
        "scan, of LRU": (1.1, None),
    },
    "redis": {"pipelined GETs, of redis-benchmark -P 64": (0.4, 0.6)},
    "start": {
        "from exec to the first connection": (50, 20),
        "idle memory": (30, 20),
        "stripped binary": (14, 10),
    },
    "build": {"clean": (8, 5), "after touching one .cc": (20, 10)},
}


def http():
    with bedplate(WORK / "empty") as ours, raw_limit() as raw, nginx() as web, fastify("livez.js") as peer:
        path = ("--path", "/livez")
        rounds = take_turns({server.name: lambda server=server: server.load(*path)
                             for server in (ours, raw, web, peer)})
    rps = {name: of(results, "rps") for name, results in rounds.items()}
    user_ns = statistics.median(of(rounds["bedplate"], "server_user_ns"))
    return [
        Measure("of the raw limit", ratio(rps["bedplate"], rps["raw limit"]), note=cost(rounds["bedplate"])),
        Measure("of nginx `return 200`", ratio(rps["bedplate"], rps["nginx"]), note=cost(rounds["nginx"])),
        Measure("of Fastify", ratio(rps["bedplate"], rps["Fastify"]), note=cost(rounds["Fastify"])),
        Measure("user CPU a request", user_ns, unit="ns"),
    ]


def http_pipelined():
    with bedplate(WORK / "empty") as ours, raw_limit() as raw:
        rounds = take_turns({server.name: lambda server=server: server.load("--path", "/livez", "--pipeline", 16)
                             for server in (ours, raw)})
    return [Measure("of the raw limit", ratio(of(rounds["bedplate"], "rps"), of(rounds["raw limit"], "rps")),
                    note=cost(rounds["bedplate"]))]


def peer_with_tasks():
    """Fastify over a database of its own, filled anew, with its request lines."""
    folder = WORK / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    read, listing = folder / "read.txt", folder / "list.txt"
    server = fastify("tasks.js", folder / "tasks.db", tasks_data.USERS, tasks_data.TASKS_PER_USER, read, listing)
    return server, read, listing


def on_postgres(data, postgres):
    """A server on `postgres` with the same data. Its files are its own, but for the key of the tokens."""
    return bedplate(WORK / "fleet", f"identity.key_file={data.folder}/identity.key", name="on PostgreSQL",
                    database=postgres.fill(data.folder).url)


def tasks_read():
    data = tasks_data.ensure()
    peer_server, peer_read, _ = peer_with_tasks()
    with (bedplate(data.folder) as ours, raw_limit() as raw, peer_server as peer, Postgres() as postgres,
          on_postgres(data, postgres) as fleet):
        rounds = take_turns({
            "ours": lambda: ours.load("--paths", data.read_paths),
            "raw": lambda: raw.load("--paths", data.read_paths),
            "peer": lambda: peer.load("--paths", peer_read),
            "fleet": lambda: fleet.load("--paths", data.read_paths),
        })
    rps = {name: of(results, "rps") for name, results in rounds.items()}
    return [
        Measure("of the raw limit", ratio(rps["ours"], rps["raw"]), note=cost(rounds["ours"])),
        Measure("of Fastify + node:sqlite", ratio(rps["ours"], rps["peer"]), note=cost(rounds["peer"])),
        Measure("on PostgreSQL, of the raw limit", ratio(rps["fleet"], rps["raw"]), note=cost(rounds["fleet"])),
    ]


def tasks_list():
    data = tasks_data.ensure()
    peer_server, _, peer_list = peer_with_tasks()
    with (bedplate(data.folder) as ours, peer_server as peer, Postgres() as postgres,
          on_postgres(data, postgres) as fleet):
        rounds = take_turns({
            "ours": lambda: ours.load("--paths", data.list_paths),
            "peer": lambda: peer.load("--paths", peer_list),
            "fleet": lambda: fleet.load("--paths", data.list_paths),
        })
    rps = {name: of(results, "rps") for name, results in rounds.items()}
    return [
        Measure("of Fastify + node:sqlite", ratio(rps["ours"], rps["peer"]),
                note=f"{cost(rounds['ours'])}; theirs: {cost(rounds['peer'])}"),
        Measure("on PostgreSQL, of Fastify + node:sqlite", ratio(rps["fleet"], rps["peer"]), note=cost(rounds["fleet"])),
    ]


def tasks_growth():
    """How much longer a list takes of a user with a hundred times as many tasks."""
    with Postgres() as postgres:
        data, lines = growth_data.make(postgres)
        key = f"identity.key_file={data}/identity.key"
        with (bedplate(data) as embedded,
              bedplate(WORK / "fleet", key, name="on PostgreSQL", database=postgres.url) as fleet):
            rounds = take_turns({
                (prefix, what, user): lambda server=server, path=path: server.load("--paths", path, seconds=0.6)
                for prefix, server in (("", embedded), ("on PostgreSQL, ", fleet))
                for what in growth_data.LISTS for user, path in ((user, lines[user][what]) for user in growth_data.USERS)})
    measures = []
    few, many = growth_data.USERS
    for prefix in ("", "on PostgreSQL, "):
        for what in growth_data.LISTS:
            rps = {user: of(rounds[prefix, what, user], "rps") for user in (few, many)}
            measures.append(Measure(f"{prefix}{what}", ratio(rps[few], rps[many]), "times",
                                    note=f"{few} tasks: {cost(rounds[prefix, what, few])}; "
                                    f"{many}: {cost(rounds[prefix, what, many])}"))
    return measures


def tasks_write():
    """Each server has its own copy of the data: they would lock each other out."""
    data = tasks_data.ensure()
    batched, single = data.copy("write"), data.copy("write_one_by_one")
    create = ("--method", "POST", "--paths", data.create_paths, "--header", "Content-Type: application/json",
              "--body", json.dumps({"title": "Buy milk", "description": "Two litres", "labels": ["home"]}))
    with (bedplate(batched) as ours, raw_limit() as raw,
          bedplate(single, "database.sqlite.group_commit_max=1", name="one by one") as alone, Postgres() as postgres,
          on_postgres(data, postgres) as fleet):
        rounds = take_turns({
            "ours": lambda: ours.load(*create),
            "raw": lambda: raw.load(*create),
            "alone": lambda: alone.load(*create),
            "fleet": lambda: fleet.load(*create),
        })
    disk_us = fsync_p50_us(WORK)
    rps = {name: of(results, "rps") for name, results in rounds.items()}
    disk = f"fsync p50 {disk_us:.0f} us"
    return [
        Measure("of the same server at batch size 1", ratio(rps["ours"], rps["alone"]), asked=disk_us >= 50,
                note=f"{disk}; {cost(rounds['ours'])}"),
        Measure("of the raw limit", ratio(rps["ours"], rps["raw"]), asked=disk_us < 200, note=disk),
        Measure("on PostgreSQL, of the same server on SQLite at batch size 1", ratio(rps["fleet"], rps["alone"]),
                note=cost(rounds["fleet"])),
        Measure("fsync p50", disk_us, unit="us"),
    ]


def run_program(name, cores="0", arguments=()):
    """The lines of a bench that is a program of its own: see bench/README.md for what it prints."""
    done = subprocess.run(["taskset", "-c", cores, str(RELEASE / "bench" / name), *arguments], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name} failed: {done.stderr}{done.stdout}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def measures_of(lines):
    measures = []
    for one in lines:
        note = (f"{statistics.median(one['ours']):.0f} {one['unit']} to "
                f"{statistics.median(one['theirs']):.0f} {one['unit']}")
        measures.append(Measure(f"{one['measure']}, of {one['yardstick']}", ratio(one["theirs"], one["ours"]),
                                note=note))
    return measures


def program(name, cores="0", arguments=()):
    return measures_of(run_program(name, cores, arguments))


def json_bench():
    return program("json_bench")


def sql_sqlite():
    return program("sql_sqlite_bench")


@contextlib.contextmanager
def service(scheme):
    """The URL of a server of the bench's own, on the other core, with data in a temporary directory."""
    services, state = str(ROOT / "tools" / "services.sh"), str(WORK / f"{scheme}.services")
    up = subprocess.run(["taskset", "-c", "1", services, "up", state], capture_output=True, text=True, check=True)
    try:
        yield next(word for word in up.stdout.split() if word.startswith(f"{scheme}://"))
    finally:
        subprocess.run([services, "down", state], capture_output=True, check=True)


def program_on_postgres(name):
    with service("postgresql") as url:
        return program(name, arguments=(url,))


def pg_reads(url):
    """ns a read of node's pg, with as many callers and connections as sql_postgres_bench has."""
    done = subprocess.run(["taskset", "-c", "0", str(NODE), str(PEER / "pg_reads.js"), url, "32000", "2", "64"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"pg_reads.js failed: {done.stderr}")
    return float(done.stdout)


def sql_postgres():
    with service("postgresql") as url:
        lines = run_program("sql_postgres_bench", arguments=(url,))
        # A process of its own cannot take turns within the program's rounds: it follows them, on the table that they
        # leave behind.
        reads = next(line for line in lines if line["measure"] == "point_read")
        peer = reads | {"yardstick": "node's pg", "theirs": [pg_reads(url) for _ in range(ROUNDS)]}
        return measures_of(lines + [peer])


def jobs():
    with service("postgresql") as url:
        on_postgres = program("jobs_bench", cores="0,1", arguments=(url,))
    for measure in on_postgres:
        measure.what = f"on PostgreSQL, {measure.what}"
    return program("jobs_bench", cores="0,1") + on_postgres


def redis():
    """64 requests under way on one connection, ours and redis-benchmark's: that one does nothing with an answer."""
    in_flight, gets = "64", "400000"

    def pinned(*command):
        return subprocess.run(["taskset", "-c", "0", *command], capture_output=True, text=True, check=True).stdout

    with service("redis") as url:
        rounds = take_turns({
            "ours": lambda: json.loads(pinned(str(RELEASE / "bench/redis_bench"), url, in_flight, gets))["rps"],
            "wire": lambda: float(pinned("redis-benchmark", "-u", url, "-c", "1", "-P", in_flight, "-n", gets, "--csv",
                                         "GET", "bench:key").splitlines()[-1].split('","')[1]),
        })
    return [Measure("pipelined GETs, of redis-benchmark -P 64", ratio(rounds["ours"], rounds["wire"]),
                    note=f"{statistics.median(rounds['ours']):.0f} to {statistics.median(rounds['wire']):.0f} a second")]


def sharding():
    """Balance and movement are counts, the same on every machine. The chart stays beside the last results."""
    done = subprocess.run([str(RELEASE / "bench" / "sharding_bench")], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    print(sharding_chart.table(rows))
    (WORK / "sharding.svg").write_text(sharding_chart.chart(rows), encoding="utf-8")
    joined = rows[1:]  # The first shard takes everything.
    return [
        Measure("keys moved when a shard joins, of 1/N, the worst of 2 to 1000", max(row["moved"] for row in joined),
                "times", note=f"a ring: {max(row['ring_moved'] for row in joined):.2f}"),
        Measure("fullest shard, of the mean, the worst of 1 to 1000", max(row["fullest"] for row in rows), "times",
                note=f"a ring: {max(row['ring_fullest'] for row in rows):.2f}; chart: build/bench/sharding.svg"),
    ] + program_on_postgres("sharding_move_bench")


def cache():
    return program("cache_bench", cores="0,1")


def start():
    data = tasks_data.ensure()
    times, resident = [], []
    for _ in range(ROUNDS):
        with bedplate(data.folder) as server:
            times.append(server.ready_after_s * 1e3)
            time.sleep(0.5)
            status = open(f"/proc/{server.process.pid}/status", encoding="ascii").read()
            resident.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
    stripped = WORK / "bedplate.stripped"
    subprocess.run(["strip", "-o", stripped, RELEASE / "bedplate"], check=True)
    return [
        Measure("from exec to the first connection", statistics.median(times), "ms"),
        Measure("idle memory", statistics.median(resident), "MiB"),
        Measure("stripped binary", os.path.getsize(stripped) / 2**20, "MiB"),
    ]


def build():
    """In a build folder of its own, with the compiler cache off, as ./dev build does it."""
    folder = WORK / "clean_build"
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "CCACHE_DISABLE": "1"}

    def timed(*command):
        begin = time.monotonic()
        subprocess.run([str(part) for part in command], check=True, env=environment, cwd=ROOT,
                       stdout=subprocess.DEVNULL)
        return time.monotonic() - begin

    compile_all = ("cmake", "--build", folder, "--parallel", os.cpu_count())
    clean_s = timed("cmake", "--preset", "release", "-B", folder) + timed(*compile_all)
    again = []
    for source in ("bedplate/http/server.cc", "bedplate/describe/json/json_reader.cc", "services/identity/service.cc"):
        (ROOT / source).touch()
        again.append(timed(*compile_all))
    shutil.rmtree(folder)
    return [Measure("clean", clean_s / 60, "min"), Measure("after touching one .cc", max(again), "s")]


CASES = {
    "http": http,
    "http-pipelined": http_pipelined,
    "tasks-read": tasks_read,
    "tasks-growth": tasks_growth,
    "tasks-list": tasks_list,
    "tasks-write": tasks_write,
    "json": json_bench,
    "sql-sqlite": sql_sqlite,
    "sql-postgres": sql_postgres,
    "jobs": jobs,
    "sharding": sharding,
    "cache": cache,
    "redis": redis,
    "start": start,
    "build": build,
}


def run(name):
    """The measures of a bench, with the bounds that they have here."""
    measures, bounds = CASES[name](), BOUNDS[name]
    for one in measures:
        must, one.then = bounds.get(one.what, (None, None))
        one.must = must if one.asked else None
    if unmeasured := set(bounds) - {one.what for one in measures}:
        raise SystemExit(f"{name} has bounds for what it does not measure: {', '.join(sorted(unmeasured))}")
    return measures
