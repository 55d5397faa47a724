"""The three proxies, each with a port per lane before an upstream per lane; ended with their context."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

from ringside_testing.ports import free_ports  # noqa: E402
from ringside_testing.process import Process, wait_until  # noqa: E402


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def service(lane):
    """How a lane is called in Host and in targets."""
    return f"lane{lane}"


class Proxy:
    def __init__(self, name, folder, upstreams):
        self.name, self.folder, self.upstreams = name, folder, upstreams
        self.ports = []        # one per lane
        self.named_port = None  # Ringside alone: all lanes, by the name in the request
        self.process = None

    def port(self, lane, named):
        return self.named_port if named and self.named_port else self.ports[lane]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.kill()

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def run(self, command):
        self.process = Process(self.name, command, os.path.join(self.folder, f"{self.name}.log")).start()
        wait_until(lambda: not self.process.running() or all(_listens(port) for port in self.ports), 10,
                   lambda: f"{self.name} listens\n{self.process.log_tail()}")
        if not self.process.running():
            raise RuntimeError(f"{self.name} did not start\n{self.process.log_tail()}")


class Haproxy(Proxy):
    def start(self):
        self.ports = free_ports(len(self.upstreams))
        lanes = "".join(f"frontend f{i}\n  bind 127.0.0.1:{port}\n  default_backend b{i}\nbackend b{i}\n  server s 127.0.0.1:{up}\n"
                        for i, (port, up) in enumerate(zip(self.ports, self.upstreams)))
        config = ("global\n  nbthread 1\n  maxconn 2000\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
                  "  timeout http-request 1s\n  timeout http-keep-alive 1s\n  retries 0\n" + lanes)
        self.run(["haproxy", "-db", "-f", self.file("haproxy.cfg", config)])


class Nginx(Proxy):
    def start(self):
        self.ports = free_ports(len(self.upstreams))
        lanes = "".join(
            f"upstream b{i} {{ server 127.0.0.1:{up} max_fails=0; keepalive 4; }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://b{i}; proxy_http_version 1.1; proxy_request_buffering off; "
            'proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_next_upstream off; proxy_read_timeout 1s; '
            "proxy_send_timeout 1s; proxy_connect_timeout 1s; } }\n" for i, (port, up) in enumerate(zip(self.ports, self.upstreams)))
        user = "user root; " if os.geteuid() == 0 else ""
        temps = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = (f"{user}worker_processes 1; daemon off; pid {self.folder}/nginx.pid; error_log stderr crit;\nevents {{ worker_connections 1000; }}\n"
                  f"http {{ access_log off; {temps} client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s; send_timeout 1s; "
                  f"lingering_timeout 1s; lingering_time 2s;\n{lanes}}}\n")
        self.run(["nginx", "-p", self.folder, "-c", self.file("nginx.conf", config)])


class Ringside(Proxy):
    """wire_proxy: the data path with a fixed table; a lane is a service with a port of its own."""

    def __init__(self, name, folder, upstreams, binary):
        super().__init__(name, folder, upstreams)
        self.binary = binary

    def start(self):
        options = ["--timeouts", "1000,0,1000,1000", "--head-time", "1000", "--attempts", "0", "--no-breaker"]
        for lane, up in enumerate(self.upstreams):
            options += ["--endpoint", f"{service(lane)}=127.0.0.1:{up}", "--fixed", f"{service(lane)}=0"]
        self.process = subprocess.Popen([self.binary, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.binary} did not start")
        ports = json.loads(line)
        self.named_port = ports["outbound"]
        self.ports = [ports["fixed"][service(lane)] for lane in range(len(self.upstreams))]

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f"{self.binary} ended with {code}")


class Folder:
    """A folder for settings and logs, gone in the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="differential-")
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
