#!/usr/bin/env python3
"""The session in README.md is true: `readme_test.py README.md SERVER-BINARY`.

Every ```console block is run, in order, in one shell against a fresh server; lines that start with `$ ` are commands
(a trailing backslash continues them), the others what they answer. In an answer `…` stands for any text; ids and
times may be others than those shown. The address http://127.0.0.1:8080 becomes the one the test's server took.
"""
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
    (r"\r", ""),
    (r"[ \t]+(?=\n|$)", ""),
]


def session(markdown):
    """[(command, answer)] of all console blocks."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", markdown, re.S | re.M):
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


class Shell:
    """One bash, so that variables set by a command are there for the next."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder)

    def run(self, command):
        self.process.stdin.write(f"{command}\nprintf '\\n%s\\n' '{END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return "".join(lines)
            lines.append(line)
        raise SystemExit(f"the shell ended in: {command}")


def start_server(binary, folder):
    """(process, address)"""
    server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder)
    for line in server.stdout:
        if match := re.search(r"http://(127\.0\.0\.1:\d+)", line):
            return server, match.group(1)
    raise SystemExit("the server did not start")


def main():
    steps = session(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    if not steps:
        raise SystemExit("no ```console block in the README")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_server(pathlib.Path(sys.argv[2]).resolve(), folder)
        try:
            shell = Shell(folder)
            for command, shown in steps:
                answered = shell.run(command.replace(SHOWN_ADDRESS, address)).replace(address, SHOWN_ADDRESS)
                if not matches(shown, answered):
                    failed += 1
                    print(f"$ {command}\nREADME shows:\n{shown}\nbut the answer is:\n{answered}")
            shell.process.stdin.close()
            shell.process.wait()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    print(f"{len(steps)} commands, {failed} unlike the README")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
