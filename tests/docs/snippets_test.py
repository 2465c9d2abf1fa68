#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""snippets_test.py SERVICES.sh PROGRAM DOCUMENT.md...: the snippets of the guides are read by what they are written for.

    sh      bash reads it, and knows the programs that it names
    toml    PROGRAM config takes it as its file
    conf    postgres takes it as its configuration
    sql     psql runs it, as the superuser of a server made for it
    ini     a unit of systemd, whose ExecStart is a command of PROGRAM
    nginx   nginx -t, in its http block
    caddyfile, haproxy   their own checks
    yaml    promtool check config
    json    Python reads it

Those for nginx, caddyfile, haproxy and yaml are read only where their program is installed; the others must be there.

Sessions (console) are session_test.py's, quoted sources (cpp, cmake) quotes_test.py's, and text is nobody's. Any other
language, or none, is an error.
"""
import configparser
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.S | re.M)
NOT_HERE = {"console", "cpp", "cmake", "text"}
POSTGRES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
SECRETS = {"database_url": "postgresql://bedplate@127.0.0.1/bedplate", "cache_url": "redis://127.0.0.1/0",
           "identity.key": "0" * 64, "metrics_token": "0" * 32}


def run(command, **options):
    """What went wrong; "" when nothing did."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return "" if done.returncode == 0 else f"{shlex.join(map(str, command))}: {done.stdout}"


def certificate(path):
    """Makes a self-signed certificate and its key, in one file. What went wrong."""
    alone = path.with_suffix(".crt")
    wrong = run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-days", "1", "-subj", "/CN=api.example.com", "-keyout", path, "-out", alone])
    if not wrong:
        path.write_text(path.read_text() + alone.read_text())
    return wrong


class Snippets:
    def __init__(self, services, program, folder):
        self.services, self.program, self.folder = services, program, folder

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def json(self, text):
        try:
            json.loads(text)
        except ValueError as error:
            return str(error)
        return ""

    def sh(self, text):
        wrong = run(["bash", "-n", self.file("snippet.sh", text)])
        for command in re.split(r"&&|\|\|?|;|\n", text.replace("\\\n", " ")):
            words = command.split()
            if not wrong and words and not words[0].startswith("#"):
                known = words[0] == "bedplate" or shutil.which(words[0]) or (POSTGRES / words[0]).exists()
                wrong = "" if known else f"{words[0]} is no program"
        return wrong

    def toml(self, text):
        for name, value in SECRETS.items():
            self.file(name, value)
        return run([self.program, "config", "--config",
                    self.file("snippet.toml", text.replace("/run/secrets", str(self.folder)))], cwd=self.folder)

    def conf(self, text):
        # -C first: only so may root ask.
        return run([POSTGRES / "postgres", "-C", "server_version", "-D", self.folder,
                    f"--config-file={self.file('snippet.conf', text)}"])

    def sql(self, text):
        state = self.folder / "services"
        try:
            urls = subprocess.run([self.services, "up", state], stdout=subprocess.PIPE, text=True, check=True).stdout
            url = re.search(r"^postgresql +running +(\S+)$", urls, re.M).group(1)
            admin = re.sub(r"//bedplate:(.*)/bedplate$", r"//postgres:\1/postgres", url)
            psql = [POSTGRES / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", admin]
            # The server comes with what a guide may want to make.
            return run([*psql, "-c", "DROP DATABASE bedplate", "-c", "DROP ROLE bedplate"]) or run(
                [*psql, "-f", self.file("snippet.sql", text)])
        finally:
            subprocess.run([self.services, "down", state], stdout=subprocess.DEVNULL, check=True)

    def ini(self, text):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read_string(text)
        _, command, *arguments = shlex.split(unit["Service"]["ExecStart"])
        options = subprocess.run([self.program, command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        unknown = [word for word in arguments if word.startswith("--") and word not in options]
        return f"{command} does not know {', '.join(unknown)}" if unknown else ""

    def checked_by(self, program, *arguments):
        found = shutil.which(program)
        if found is None:
            print(f"{program} is not installed: its snippet is not read")
            return ""
        return run([found, *arguments])

    def with_certificate(self, text):
        return re.sub(r"/etc/ssl/\S+?\.(?:both\.pem|pem|key)", str(self.folder / "both.pem"), text)

    def nginx(self, text):
        block = f"pid {self.folder}/pid; error_log stderr; events {{}} http {{ access_log off; {self.with_certificate(text)} }}"
        return certificate(self.folder / "both.pem") or self.checked_by("nginx", "-q", "-t", "-c",
                                                                        self.file("nginx.conf", block))

    def haproxy(self, text):
        return certificate(self.folder / "both.pem") or self.checked_by("haproxy", "-q", "-c", "-f",
                                                                        self.file("haproxy.cfg", self.with_certificate(text)))

    def caddyfile(self, text):
        return self.checked_by("caddy", "validate", "--adapter", "caddyfile", "--config", self.file("Caddyfile", text))

    def yaml(self, text):
        token = str(self.file("metrics_token", "0" * 32))
        return self.checked_by("promtool", "check", "config",
                               self.file("prometheus.yml", text.replace("/etc/prometheus/metrics_token", token)))


def main():
    services, program, *documents = map(pathlib.Path, sys.argv[1:])
    checked = failed = 0
    for document in documents:
        markdown = document.read_text(encoding="utf-8")
        for match in BLOCK.finditer(markdown):
            language, text = match.groups()
            if language in NOT_HERE:
                continue
            with tempfile.TemporaryDirectory() as folder:
                snippets = Snippets(services.resolve(), program.resolve(), pathlib.Path(folder))
                check = getattr(snippets, language, None) if language else None
                wrong = check(text) if check else "a snippet that nothing checks: say its language"
            checked += 1
            if wrong:
                failed += 1
                line = markdown.count("\n", 0, match.start()) + 1
                print(f"{document}:{line}: {wrong}")
    print(f"{checked} snippets, {failed} wrong")
    return 1 if failed or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
