#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""proxy_test.py GUIDE.md PROGRAM: nginx with the guide's configuration, and with the shortest one that people write.

The public sees the service through it, and neither /metrics nor /healthz; the service sees who the client is. Without
nginx nothing is tried, which it says.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

BARE = "server {{ listen {listen}; location / {{ proxy_pass http://{upstream}; }} }}"
WRAPPED = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}
events {{}}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
{servers} }}
"""
CLIENT = "127.0.0.7"  # this machine too, and not where nginx's own connections come from


class Server:
    """bedplate serve."""

    def __init__(self, program, folder, *settings):
        self.folder, self.log = folder, folder / "server.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BEDPLATE_")}
        flags = [word for setting in settings for word in ("--set", setting)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--data", folder / "data", "--listen", "127.0.0.1:0", *flags],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        match = re.search(r"http://(\S+)", self.process.stdout.readline())
        if not match:
            raise SystemExit(f"the server did not start: {self.log.read_text()}")
        self.address = match.group(1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=120)


class Nginx:
    """nginx with a `server` block, which listens where {listen} says; that socket is made here, so it is nobody's else."""

    def __init__(self, folder, servers):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        # As root it would give up its rights, and then those to the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config = folder / "nginx.conf"
        config.write_text(WRAPPED.format(folder=folder, user=user,
                                         servers=servers.replace("{listen}", f"127.0.0.1:{self.port}")))
        # A socket that it is given is one it does not bind: connections wait in it until nginx accepts them.
        self.process = subprocess.Popen(["nginx", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        pass_fds=[self.listener.fileno()],
                                        env=os.environ | {"NGINX": f"{self.listener.fileno()};"})
        self.folder = folder

    def get(self, path, tls=None, **fields):
        """(status, body)"""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(CLIENT, 0))
        with tls.wrap_socket(connection, server_hostname="api.example.com") if tls else connection as stream:
            lines = {"Host": "api.example.com", "Connection": "close"} | fields
            head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
            stream.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
            answer = b"".join(iter(lambda: stream.recv(65536), b"")).decode()
        if not answer:
            raise AssertionError(f"nginx answers nothing: {(self.folder / 'nginx.log').read_text()}")
        return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(120)
        self.listener.close()


class BehindNginx(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, *settings):
        server = Server(PROGRAM, self.folder, *settings)
        self.addCleanup(server.stop)
        return server

    def proxy(self, servers):
        nginx = Nginx(self.folder, servers)
        self.addCleanup(nginx.stop)
        return nginx

    def test_the_shortest_configuration_shows_the_public_nothing(self):
        server = self.serve()
        nginx = self.proxy(BARE.format(listen="{listen}", upstream=server.address))
        self.assertEqual(nginx.get("/livez"), (200, '{"status":"ok"}'))
        for path in ("/metrics", "/healthz", "/metrics?", "/%6detrics", "//metrics", "/healthz/"):
            self.assertEqual(nginx.get(path)[0], 404, path)

    def test_the_guides_configuration_does_and_tells_who_the_client_is(self):
        guide = GUIDE.read_text(encoding="utf-8")
        block = re.search(r"^```nginx\n(.*?)^```", guide, re.S | re.M).group(1)
        token = "0123456789abcdef0123456789abcdef"
        server = self.serve("server.trusted_proxies=127.0.0.1", "server.allowed_hosts=api.example.com",
                            f"telemetry.metrics_token={token}")
        for name in ("pem", "key"):
            block = block.replace(f"/etc/ssl/api.example.com.{name}", f"{self.folder}/tls.{name}")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "1", "-subj", "/CN=api.example.com", "-addext", "subjectAltName=DNS:api.example.com",
                        "-keyout", self.folder / "tls.key", "-out", self.folder / "tls.pem"],
                       check=True, stderr=subprocess.DEVNULL)
        nginx = self.proxy(block.replace("127.0.0.1:8080", server.address).replace("listen 443", "listen {listen}"))
        tls = ssl.create_default_context(cafile=self.folder / "tls.pem")
        self.assertEqual(nginx.get("/livez", tls)[0], 200)
        for path in ("/metrics", "/healthz"):
            self.assertEqual(nginx.get(path, tls)[0], 404)
            self.assertEqual(nginx.get(path, tls, Authorization=f"Bearer {token}x")[0], 404)
        self.assertEqual(nginx.get("/metrics", tls, Authorization=f"Bearer {token}")[0], 200)
        # A client's own word about where it comes from does not count.
        self.assertEqual(nginx.get("/seen", tls, X_Forwarded_For="192.0.2.1")[0], 404)
        seen = [json.loads(line) for line in server.log.read_text().splitlines() if '"/seen"' in line]
        self.assertEqual([CLIENT in json.dumps(line) for line in seen], [True], seen)
        self.assertNotIn("192.0.2.1", json.dumps(seen))


if __name__ == "__main__":
    GUIDE, PROGRAM = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    if shutil.which("nginx") is None:
        print("nginx is not installed (apt-get install nginx-light): nothing was tried")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
