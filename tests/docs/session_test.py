#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The sessions in the documentation are true.

    session_test.py [--write] [--services SCRIPT] DOCUMENT.md PROGRAM

Every ```console block is run, in order, in one shell against a fresh `PROGRAM serve`, in whose directory the shell
works; there `build/` is the program's, and the program is on the PATH. Lines that start with `$ ` are commands (a trailing backslash continues them),
the others what they answer. In an answer `…` stands for any text; ids and times may be others than those shown. The
address http://127.0.0.1:8080 becomes the one the server took.

With --services (tools/services.sh) the shell has $DATABASE_URL and $CACHE_URL, of servers started for this.

With --write the answers in the document become those of this run.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

SHOWN_ADDRESS = "127.0.0.1:8080"
END = "@@end of answer@@"
VARYING = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
    (r"(?<=\"request_id\": \")[^\"]*", "<request>"),
    (r"\r", ""),
    (r"[ \t]+(?=\n|$)", ""),
]
BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```)", re.S | re.M)


def session(block):
    """[[command, answer]] of a console block."""
    steps = []
    continued = False
    for line in block.splitlines():
        if continued:
            steps[-1][0] += "\n" + line
            continued = line.endswith("\\")
        elif line.startswith("$ "):
            steps.append([line[2:], ""])
            continued = line.endswith("\\")
        else:
            steps[-1][1] += line + "\n"
    return steps


def steady(text):
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text.strip()


def matches(shown, answered):
    wanted = ".*?".join(re.escape(part) for part in steady(shown).split("…"))
    return re.fullmatch(wanted, steady(answered), re.S) is not None


def clean_environment():
    """Without what a developer may have set: it would change the answers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BEDPLATE_")}


class Shell:
    """One bash, so that variables set by a command are there for the next."""

    def __init__(self, folder, program, variables):
        environment = clean_environment() | {"PATH": f"{program.parent}:{os.environ['PATH']}"} | variables
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=environment)

    def run(self, command):
        self.process.stdin.write(f"{command}\nprintf '\\n%s\\n' '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines)
            lines.append(line)
        raise SystemExit(f"the shell ended in: {command}")


class Services:
    """The throwaway servers, while in the `with` block; their URLs as variables. Without a script, none."""

    def __init__(self, script, folder):
        self.script, self.state = script, pathlib.Path(folder, "services")

    def call(self, what):
        return subprocess.run([self.script, what, self.state], stdout=subprocess.PIPE, text=True, check=True).stdout

    def __enter__(self):
        if not self.script:
            return {}
        urls = dict(re.findall(r"^(\w+) +running +(\S+)$", self.call("up"), re.M))
        return {"DATABASE_URL": urls["postgresql"], "CACHE_URL": urls["redis"]}

    def __exit__(self, *_):
        if self.script:
            self.call("down")


def start_server(program, folder):
    """(process, address)"""
    server = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, cwd=folder, env=clean_environment())
    for line in server.stdout:
        if match := re.search(r"http://(127\.0\.0\.1:\d+)", line):
            return server, match.group(1)
    raise SystemExit("the server did not start")


def run_document(markdown, shell, address):
    """(the document with real answers, steps, mismatches)"""
    steps = failed = 0

    def run_block(match):
        nonlocal steps, failed
        text = ""
        for command, shown in session(match.group(1)):
            answered = shell.run(command.replace(SHOWN_ADDRESS, address)).replace(address, SHOWN_ADDRESS)
            steps += 1
            if matches(shown, answered):
                answered = shown
            else:
                failed += 1
                print(f"$ {command}\nthe document shows:\n{shown}\nbut the answer is:\n{answered}")
            answered = answered.strip("\n")
            text += f"$ {command}\n" + (answered + "\n" if answered else "")
        return text

    return BLOCK.sub(run_block, markdown), steps, failed


def main():
    write = "--write" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    script = None
    if arguments[0] == "--services":
        script, arguments = pathlib.Path(arguments[1]).resolve(), arguments[2:]
    document, program = map(pathlib.Path, arguments)
    markdown = document.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as state, \
            Services(script, state) as variables:
        program = program.resolve()
        pathlib.Path(folder, "build").symlink_to(program.parent)
        server, address = start_server(program, folder)
        try:
            shell = Shell(folder, program, variables)
            answered, steps, failed = run_document(markdown, shell, address)
            shell.process.stdin.close()
            shell.process.wait()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
    if steps == 0:
        raise SystemExit(f"no ```console block in {document}")
    if write:
        document.write_text(answered, encoding="utf-8")
        return 0
    print(f"{steps} commands, {failed} unlike {document}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
