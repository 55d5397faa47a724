"""The way of a request through two sidecars: naming, headers, bodies, the proxy's own answers."""
import json
import socket
import threading
import unittest

from ringside_testing import http_client
from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring

_GIGABYTE = 1_000_000_000
_GROWTH_KIB = 16 * 1024  # far below any buffer of the whole; sanitizers and first use included


class Naming(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = cls.enterClassContext(Bench())
        cls.app = cls.bench.app("orders-1")
        cls.fixed = free_port()
        cls.caller = cls.bench.static_caller("orders", [cls.app], {"listen": f"127.0.0.1:{cls.fixed}"})
        cls.out = cls.caller.outbound

    def echo(self, **arguments):
        answer = http_client.request(**{"port": self.out, "path": "/echo", **arguments})
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def test_by_host_header(self):
        self.assertEqual(self.echo(headers={"Host": "orders"}, path="/echo?a=1&b=%2f")["target"], "/echo?a=1&b=%2f")

    def test_by_host_header_whatever_its_case_port_or_suffix(self):
        for host in ("ORDERS", "orders:8080", "orders.ringside"):
            with self.subTest(host):
                self.echo(headers={"Host": host})

    def test_by_absolute_form(self):
        self.assertEqual(self.echo(path="http://orders/echo?x=1", headers={"Host": "orders"})["target"], "/echo?x=1")

    def test_by_prefix(self):
        self.assertEqual(self.echo(path="/svc/orders/echo?x=1")["target"], "/echo?x=1")

    def test_by_fixed_port(self):
        self.echo(port=self.fixed, headers={"Host": "whatever.example"})

    def test_the_service_sees_its_own_name_as_host(self):
        for arguments in ({"headers": {"Host": "orders.ringside:99"}}, {"path": "/svc/orders/echo"}, {"port": self.fixed}):
            with self.subTest(str(arguments)):
                hosts = [value for name, value in self.echo(**arguments)["headers"] if name.lower() == "host"]
                self.assertEqual(hosts, ["orders"])

    def test_method_body_and_headers_pass(self):
        body = json.dumps({"a": "x" * 100000}).encode()
        seen = self.echo(method="PUT", headers={"Host": "orders", "X-Odd": " a;b ", "Content-Type": "application/json"}, body=body)
        self.assertEqual((seen["method"], seen["length"], seen["body"].encode()), ("PUT", len(body), body))
        self.assertIn(["X-Odd", "a;b"], seen["headers"])

    def test_hop_by_hop_headers_stay_here(self):
        seen = self.echo(headers={"Host": "orders", "Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "Keep-Alive": "5"})
        names = {name.lower() for name, _ in seen["headers"]}
        self.assertFalse(names & {"x-mine", "keep-alive", "proxy-connection"})

    def test_a_request_id_is_made_or_kept(self):
        made = dict(self.echo(headers={"Host": "orders"})["headers"])
        self.assertTrue({name.lower(): value for name, value in made.items()}["x-request-id"])
        kept = self.echo(headers={"Host": "orders", "X-Request-Id": "mine-1", "traceparent": "00-a-b-01"})["headers"]
        kept = {name.lower(): value for name, value in kept}
        self.assertEqual((kept["x-request-id"], kept["traceparent"]), ("mine-1", "00-a-b-01"))

    def test_an_app_cannot_forge_our_headers(self):
        seen = self.echo(headers={"Host": "orders", "x-ringside-instance": "evil", "x-ringside-draining": "1", "x-ringside-error": "reset"})
        forged = [value for name, value in seen["headers"] if value in ("evil", "1", "reset") and name.lower().startswith("x-ringside")]
        self.assertEqual(forged, [])

    def test_keep_alive_serves_many_requests_on_one_connection(self):
        with socket.create_connection(("127.0.0.1", self.out), timeout=10) as connection:
            stream = connection.makefile("rb")
            for _ in range(50):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: orders\r\n\r\n")
                self.assertTrue(stream.readline().startswith(b"HTTP/1.1 200"))
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.assertEqual(stream.read(length), b"orders-1\n")

    def test_a_name_that_is_no_service_gets_the_nearest(self):
        answer = http_client.call(self.out, "ordrs")
        self.assertEqual((answer.status, answer.headers["x-ringside-error"]), (503, "no_endpoints"))
        self.assertIn("orders", answer.text())
        self.assertTrue(answer.headers["x-request-id"])

    def test_garbage_is_refused(self):
        for raw in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\nHost: orders\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: orders\r\nHost: payments\r\n\r\n"):
            with self.subTest(raw[:40]), socket.create_connection(("127.0.0.1", self.out), timeout=10) as connection:
                connection.sendall(raw)
                answer = connection.makefile("rb").read()
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:200])
                self.assertIn(b"x-ringside-error: bad_request", answer.lower())

    def test_headers_over_the_limit_are_refused(self):
        answer = http_client.request(self.out, headers={"Host": "orders", **{f"X-{i}": "y" * 1000 for i in range(80)}})
        self.assertEqual((answer.status, answer.headers["x-ringside-error"]), (431, "headers_too_large"))

    def test_an_exchange_counts_once_in_the_metrics(self):
        before = self.caller.metric("ringside_upstream_requests_total", upstream="orders", code="204")
        http_client.call(self.out, "orders", "/status/204")
        after = self.caller.metric("ringside_upstream_requests_total", upstream="orders", code="204")
        self.assertEqual(after - before, 1)


class Failures(unittest.TestCase):
    def own_answer(self, upstream, path="/", method="GET"):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")], upstream)
            answer = http_client.call(caller.outbound, "orders", path, method)
            cause = answer.headers["x-ringside-error"]
            self.assertEqual(caller.metric("ringside_upstream_errors_total", upstream="orders", cause=cause), 1)
            self.assertIn("orders", answer.text())
            return answer.status, cause

    def test_nobody_listening_is_connect_failure(self):
        self.assertEqual(self.own_answer({"endpoints": [f"127.0.0.1:{free_port()}"]}), (502, "connect_failure"))

    def test_a_late_answer_is_timeout(self):
        self.assertEqual(self.own_answer({"timeouts": {"response": "300ms"}}, "/slow?ms=3000"), (504, "timeout"))

    def test_an_answer_that_is_no_http_is_bad_response(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    with connection:
                        connection.recv(65536)
                        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            threading.Thread(target=serve, daemon=True).start()
            port = server.getsockname()[1]
            self.assertEqual(self.own_answer({"endpoints": [f"127.0.0.1:{port}"]}), (502, "bad_response"))
            server.shutdown(socket.SHUT_RDWR)

    def test_another_try_goes_to_another_host(self):
        with Bench() as bench:
            apps = [bench.app("good"), bench.app("bad")]
            caller = bench.static_caller("orders", apps, {"balance": "round_robin"})
            apps[1].control("status?status=503")
            self.assertEqual([http_client.call(caller.outbound, "orders").status for _ in range(4)], [200] * 4)
            self.assertEqual(caller.metric("ringside_upstream_requests_total", upstream="orders", code="200"), 4)
            self.assertGreater(caller.metric("ringside_upstream_retries_total", upstream="orders"), 0)

    def test_a_post_is_not_sent_twice(self):
        with Bench() as bench:
            apps = [bench.app("a"), bench.app("b")]
            caller = bench.static_caller("orders", apps)
            for app in apps:
                app.control("status?status=503")
            self.assertEqual(http_client.call(caller.outbound, "orders", method="POST", body=b"x").status, 503)
            self.assertEqual(sum(app.control("counts")["requests"] for app in apps), 1)


class Inbound(unittest.TestCase):
    def test_it_refuses_another_service_before_the_app_sees_anything(self):
        with Ring(size=1) as ring:
            inbound, app = ring.sidecars[0].inbound, ring.apps[0]
            before = app.control("counts")["requests"]
            answer = http_client.request(inbound, headers={"Host": "orders", "x-ringside-service": "payments", "x-ringside-ring": "test"})
            self.assertEqual((answer.status, answer.headers.get("x-ringside-unprocessed")), (421, "1"))
            answer = http_client.request(inbound, headers={"Host": "orders", "x-ringside-service": "orders", "x-ringside-ring": "other"})
            self.assertEqual((answer.status, answer.headers.get("x-ringside-unprocessed")), (421, "1"))
            self.assertEqual(app.control("counts")["requests"], before)
            self.assertEqual(http_client.request(inbound, headers={"Host": "orders"}).status, 200)

    def test_calls_go_through_the_other_sidecar(self):
        with Ring(size=1) as ring:
            self.assertEqual(http_client.call(ring.caller.outbound, "orders").status, 200)
            self.assertEqual(ring.sidecars[0].metric("ringside_inbound_requests_total", code="200"), 1)


class Bodies(unittest.TestCase):
    def grown(self, ring, transfer):
        """What the transfer added to the memory of the two sidecars on its way, in KiB."""
        http_client.call(ring.caller.outbound, "orders", "/bytes/1000000")  # what the first use takes
        processes = [ring.caller.process, ring.sidecars[0].process]
        before, most, over = [p.rss_kib() for p in processes], [0, 0], threading.Event()

        def watch():
            while not over.wait(0.05):
                most[:] = [max(peak, p.rss_kib() - start) for peak, p, start in zip(most, processes, before)]
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            transfer(ring.caller.outbound)
        finally:
            over.set()
            watcher.join()
        return max(most)

    def upload(self, port):
        piece = b"u" * (1 << 20)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(f"POST /sink HTTP/1.1\r\nHost: orders\r\nContent-Length: {_GIGABYTE}\r\n\r\n".encode())
            left = _GIGABYTE
            while left:
                connection.sendall(piece[:min(left, len(piece))])
                left -= min(left, len(piece))
            answer = b""
            while f"{_GIGABYTE}\n".encode() not in answer:
                more = connection.recv(65536)
                self.assertTrue(more, answer)
                answer += more
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:200])

    def download(self, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(f"GET /bytes/{_GIGABYTE} HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n".encode())
            got, buffer = 0, bytearray(1 << 20)
            while size := connection.recv_into(buffer):
                got += size
            self.assertGreater(got, _GIGABYTE)
            self.assertLess(got, _GIGABYTE + 4096)

    def test_a_gigabyte_passes_both_ways_with_flat_memory(self):
        with Ring(size=1) as ring:
            for transfer in (self.upload, self.download):
                with self.subTest(transfer.__name__):
                    self.assertLess(self.grown(ring, transfer), _GROWTH_KIB)

    def test_a_slow_reader_holds_the_sender_back(self):
        with Ring(size=1) as ring:
            def read_little(port):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    connection.sendall(b"GET /bytes/200000000 HTTP/1.1\r\nHost: orders\r\n\r\n")
                    connection.recv(1000)
                    wait_until(lambda: ring.apps[0].control("counts")["in_flight"] == 1, 2, "still sending")
                    threading.Event().wait(1)
            self.assertLess(self.grown(ring, read_little), _GROWTH_KIB)
