"""redis over raw TCP through two sidecars: a fixed port at the caller, a CONNECT tunnel between the sidecars."""
import subprocess
import unittest

from ringside_testing.pair import Pair
from ringside_testing.ports import free_port

_BIG = 8_000_000


class RealTcp(unittest.TestCase):
    def cli(self, port, *words, body=None):
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *words], input=body, capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout[:300])
        return done.stdout

    def test_redis(self):
        with Pair("cache") as pair:
            pair.start("redis", ["redis-server", "--port", pair.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                                 "--dir", pair.folder, "--daemonize", "no"])
            port = free_port()
            pair.join(health_check={"tcp": True, "interval": "500ms"},
                      caller_settings={"upstreams": {"cache": {"protocol": "tcp", "listen": f"127.0.0.1:{port}"}}})
            self.assertEqual(self.cli(port, "PING"), b"PONG\n")
            # A value of megabytes there and back, and a thousand commands in one stream.
            value = bytes(range(1, 256)) * (_BIG // 255)
            self.assertEqual(self.cli(port, "-x", "SET", "big", body=value), b"OK\n")
            self.assertEqual(self.cli(port, "--raw", "GET", "big")[:-1], value)
            many = b"".join(b"*2\r\n$4\r\nINCR\r\n$7\r\ncounter\r\n" for _ in range(100_000))
            self.assertIn(b"errors: 0, replies: 100000", self.cli(port, "--pipe", body=many))
            self.assertEqual(self.cli(port, "GET", "counter"), b"100000\n")
            self.bench(port)
            self.assertEqual(pair.errors(), 0)

    def bench(self, port):
        done = subprocess.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-c", "50", "-n", "20000", "-t", "set,get,lpush",
                               "--csv"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(len([line for line in done.stdout.splitlines() if line.startswith(('"SET"', '"GET"', '"LPUSH"'))]), 3, done.stdout)
