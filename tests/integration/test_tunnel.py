"""Bytes through two sidecars of a ring: raw TCP on a fixed port, CONNECT, an upgrade."""
import contextlib
import json
import socket
import threading
import unittest

from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring

_LIMIT = 10.0


class Echo:
    """Gives every byte back, and its end too. What begins with GET is first answered by a 101."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection):
        with connection, contextlib.suppress(OSError):
            data = connection.recv(65536)
            if data.startswith(b"GET "):
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
                data = data.split(b"\r\n\r\n", 1)[1] or connection.recv(65536)
            while data:
                connection.sendall(data)
                data = connection.recv(65536)
            connection.shutdown(socket.SHUT_WR)

    def close(self):
        # A close alone would leave the thread inside accept, and the port with it.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def _read_all(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


class Tunnels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.echo = Echo()
        cls.addClassCleanup(cls.echo.close)
        cls.port = free_port()
        cls.ring = cls.enterClassContext(Ring(
            size=1, service="cache",
            each=[{"service": {"address": f"127.0.0.1:{cls.echo.port}", "health_check": "none"}}],
            caller_settings={"upstreams": {"cache": {"protocol": "tcp", "listen": f"127.0.0.1:{cls.port}"}},
                             "log": {"access": True}}))
        cls.caller = cls.ring.caller

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=_LIMIT)
        self.addCleanup(connection.close)
        return connection

    def ask(self, request):
        """A connection to the caller's outbound port that has been given its answer's head."""
        connection = self.connect(self.caller.outbound)
        connection.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(1)
            self.assertTrue(piece, head)
            head += piece
        return connection, head

    def echoes(self, connection):
        """A megabyte there and back while both sides talk, then the end in both directions."""
        data = bytes(range(256)) * 4096
        sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        self.assertTrue(_read_all(connection) == data, "the bytes that came back differ")
        sender.join()

    def test_raw_bytes_pass_through_both_sidecars(self):
        inbound = self.ring.sidecars[0]
        before = inbound.metric("ringside_inbound_requests_total", code="200")
        self.echoes(self.connect(self.port))
        wait_until(lambda: inbound.metric("ringside_inbound_requests_total", code="200") == before + 1, _LIMIT,
                   "the inbound side counts the tunnel")
        self.assertEqual(self.caller.metric("ringside_upstream_requests_in_flight", upstream="cache"), 0)

    def test_the_access_log_tells_of_a_raw_connection(self):
        self.echoes(self.connect(self.port))

        def record():
            for line in self.caller.process.log_text().splitlines():
                entry = json.loads(line) if '"access"' in line else {}
                if entry.get("path") == f"cache:{self.port}" and entry["bytes_in"] == 1 << 20:
                    return entry
            return None
        entry = wait_until(record, _LIMIT, "an access record")
        self.assertEqual((entry["method"], entry["code"], entry["upstream"], entry["bytes_out"], entry["cause"]),
                         ("CONNECT", 200, "cache", 1 << 20, ""), entry)

    def test_connect_names_a_service(self):
        connection, head = self.ask(b"CONNECT cache.ringside:6379 HTTP/1.1\r\nHost: cache.ringside:6379\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
        self.echoes(connection)

    def test_connect_elsewhere_is_refused(self):
        _, head = self.ask(b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 503 ") and b"x-ringside-error: no_endpoints" in head, head)

    def test_an_upgrade_passes_through_both_sidecars(self):
        connection, head = self.ask(b"GET / HTTP/1.1\r\nHost: cache\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 101 ") and b"Upgrade: echo" in head, head)
        self.echoes(connection)

    def test_many_connections_at_once(self):
        connections = [self.connect(self.port) for _ in range(50)]
        for i, connection in enumerate(connections):
            connection.sendall(str(i).encode())
        for i, connection in enumerate(connections):
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(_read_all(connection), str(i).encode())


class CutByTheDrain(unittest.TestCase):
    def test_its_cause_is_draining(self):
        echo = Echo()
        self.addCleanup(echo.close)
        with Bench() as bench:
            port = free_port()
            sidecar = bench.sidecar("caller", {
                "drain": {"timeout": "1s"}, "log": {"access": True},
                "upstreams": {"cache": {"protocol": "tcp", "listen": f"127.0.0.1:{port}", "endpoints": [f"127.0.0.1:{echo.port}"]}}}).wait_ready()
            with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT) as connection:
                connection.sendall(b"hello")
                self.assertEqual(connection.recv(5), b"hello")
                self.assertEqual(sidecar.stop(), 0)
                with self.assertRaises(ConnectionResetError):
                    connection.recv(1)
            entries = [json.loads(line) for line in sidecar.process.log_text().splitlines() if '"access"' in line]
            self.assertEqual([(entry["code"], entry["cause"], entry["bytes_in"]) for entry in entries], [(200, "draining", 5)],
                             sidecar.process.log_tail())


class NobodyThere(unittest.TestCase):
    def test_the_connection_is_reset_and_the_log_says_why(self):
        echo, port = Echo(), free_port()
        echo.close()
        with Ring(size=1, service="cache",
                  each=[{"service": {"address": f"127.0.0.1:{echo.port}", "health_check": "none"}}],
                  caller_settings={"upstreams": {"cache": {"protocol": "tcp", "listen": f"127.0.0.1:{port}"}}}) as ring:
            with self.assertRaises(ConnectionResetError):  # by the connect, if it comes so soon
                with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT) as connection:
                    connection.recv(1)
            self.assertEqual(ring.caller.metric("ringside_upstream_errors_total", upstream="cache",
                                                cause="connect_failure"), 1)
            wait_until(lambda: "tcp cache: connect_failure" in ring.caller.process.log_text(), _LIMIT, "a line in the log")
