"""Strangers, clumsy clients and bad days: what must not disturb a sidecar or its ring."""
import os
import resource
import shutil
import signal
import socket
import struct
import threading
import time
import unittest

from ringside_testing import http_client
from ringside_testing.load import OpenLoop
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring
from ringside_testing.sidecar import cli


def connect(port, timeout=5.0):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def exchange(port, data, timeout=5.0):
    """What comes back for these bytes until the other side closes; a reset ends it too."""
    came = b""
    with connect(port, timeout) as client:
        try:
            client.sendall(data)
            while piece := client.recv(65536):
                came += piece
        except ConnectionError:
            pass
    return came


def ring_port(sidecar):
    return int(sidecar.settings["ring"]["listen"].rsplit(":", 1)[1])


class Dripping:
    """Clients that send one byte now and then and never come to an end."""

    def __init__(self, port, count):
        self.clients = [connect(port) for _ in range(count)]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for client in self.clients:
            client.close()

    def _drip(self):
        while not self.over.wait(0.1):
            for client in self.clients:
                try:
                    client.send(b"G")
                except OSError:
                    pass  # it was closed, as it may be


class AdminPort(unittest.TestCase):
    def test_slow_clients_hold_up_neither_healthz_nor_a_stop(self):
        with Bench() as bench:
            sidecar = bench.sidecar("one").wait_ready()
            with Dripping(sidecar.admin, 40):
                time.sleep(0.5)
                for _ in range(3):
                    self.assertEqual(sidecar.get("/healthz", timeout=3).status, 200)
                began = time.monotonic()
                self.assertEqual(sidecar.stop(20), 0)
                self.assertLess(time.monotonic() - began, 5)

    def test_headers_without_end_are_cut_off(self):
        with Bench() as bench:
            sidecar = bench.sidecar("one").wait_ready()
            before = sidecar.process.rss_kib()
            with connect(sidecar.admin) as client:
                client.sendall(b"GET / HTTP/1.1\r\n")
                with self.assertRaises(ConnectionError):
                    for _ in range(2000):
                        client.sendall(b"x-filler: 0123456789012345678901234567890123456789\r\n" * 1000)
            self.assertLess(sidecar.process.rss_kib() - before, 10_000)
            self.assertEqual(sidecar.get("/healthz").status, 200)

    def test_odd_requests_are_answered_or_closed(self):
        odd = [b"\0" * 100 + b"\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n",
               b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", b"GET /v1/services/%00%ff HTTP/1.1\r\n\r\n",
               b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"GET /v1/config/" + b"a" * 8000 + b" HTTP/1.1\r\n\r\n",
               b"POST /v1/drain HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
               b"GET / HTTP/1.1\r\nRange: bytes=9-1,-\r\n\r\n"]
        with Bench() as bench:
            sidecar = bench.sidecar("one").wait_ready()
            for request in odd:
                with self.subTest(request=request[:60]):
                    answer = exchange(sidecar.admin, request)
                    self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 "), answer[:80])
                    self.assertNotIn(b"root:", answer)
            self.assertEqual(sidecar.get("/healthz").status, 200)


class PortsInUse(unittest.TestCase):
    def test_each_is_said_and_ends_with_1(self):
        with Bench() as bench:
            first = bench.sidecar("first").wait_ready()
            listen = first.settings["ring"]["listen"]
            for what, settings in {
                    "admin": {"admin": {"listen": f"127.0.0.1:{first.admin}"}},
                    "outbound": {"proxy": {"outbound": f"127.0.0.1:{first.outbound}"}},
                    "ring": {"ring": {"listen": listen, "advertise": listen}}}.items():
                with self.subTest(port=what):
                    second = bench.sidecar(f"second-{what}", settings)
                    wait_until(lambda s=second: not s.process.running(), 5, f"the second on {what} ends")
                    self.assertEqual(second.process.exit_code, 1, second.process.log_tail())
                    self.assertIn("in use", second.process.log_text())

    def test_a_data_dir_in_use_is_said_and_ends_with_1(self):
        with Bench() as bench:
            first = bench.sidecar("first").wait_ready()
            second = bench.sidecar("second", {"ring": {"data_dir": first.settings["ring"]["data_dir"]}})
            wait_until(lambda: not second.process.running(), 5, "the second ends")
            self.assertEqual(second.process.exit_code, 1)
            self.assertIn("in use by another ringside", second.process.log_text())


class RingPort(unittest.TestCase):
    """Garbage, floods and forged greetings: links stand, no election, the log stays readable."""

    @staticmethod
    def greeting(sidecar):
        with connect(ring_port(sidecar)) as client:
            came = b""
            while len(came) < 8 or len(came) < 8 + struct.unpack(">I", came[:4])[0]:
                came += client.recv(4096)
        return came

    def test_strangers_disturb_nothing(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, "orders", rate=50) as load:
            leader = ring.leader()
            before = leader.ring()
            own = self.greeting(leader)
            for data in (os.urandom(4000), b"GET / HTTP/1.1\r\n\r\n", own[:10], own, own + own, b"\xff" * 8, b"\0" * 8,
                         own[:4] + b"\0\0\0\0" + own[8:], struct.pack(">II", 1 << 26, 0) + b"x" * 5000):
                exchange(ring_port(leader), data)
            silent = [connect(ring_port(leader)) for _ in range(600)]
            time.sleep(1)
            after = leader.ring()
            for client in silent:
                client.close()
            self.assertEqual((after["role"], after["epoch"]), ("leading", before["epoch"]))
            self.assertEqual([m["connected"] for m in after["members"] if m["voter"]], [True] * 3)
            refusals = [line for line in leader.process.log_text().splitlines() if "refused" in line]
            self.assertLessEqual(len(refusals), 30)
            self.assertEqual(load.stop().failed(), [])

    def test_a_member_gets_in_through_a_flood_of_silent_strangers(self):
        with Ring() as ring:
            first = ring.sidecars[0]  # dialled by all with a greater id
            follower = ring.sidecars[2]
            follower.kill()
            silent = [connect(ring_port(first)) for _ in range(300)]
            began = time.monotonic()
            follower.start()
            wait_until(lambda: follower.try_(lambda: follower.ring()["quorum"] and any(
                member["id"] == 1 and member["connected"] for member in follower.ring()["members"])),
                1.5, "the link stands before the strangers' time is up")
            self.assertLess(time.monotonic() - began, 1.9)
            for client in silent:
                client.close()


class Pauses(unittest.TestCase):
    def test_a_stopped_follower_and_a_stopped_leader_cost_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, "orders", rate=50) as load:
            leader = ring.leader()
            follower = next(s for s in ring.sidecars if s is not leader)
            for sidecar, seconds in ((follower, 0.4), (leader, 0.4), (follower, 2.5), (leader, 2.5)):
                sidecar.process.signal(signal.SIGSTOP)
                time.sleep(seconds)
                sidecar.process.signal(signal.SIGCONT)
                wait_until(lambda s=sidecar: s.try_(lambda: s.ring()["quorum"]), 5, f"{sidecar.name} has a quorum again")
                ring.caller.wait_up("orders", 3, 5)
            self.assertEqual(load.stop().failed(), [])

    def test_a_storm_of_signals_reloads_and_a_second_term_ends_at_once(self):
        with Ring() as ring:
            for _ in range(200):
                for sidecar in ring.sidecars:
                    sidecar.process.signal(signal.SIGHUP)
            self.assertEqual(http_client.call(ring.caller.outbound, "orders").status, 200)
            for sidecar in ring.sidecars:
                sidecar.process.signal(signal.SIGTERM)
                time.sleep(0.01)
                sidecar.process.signal(signal.SIGINT)
                wait_until(lambda s=sidecar: not s.process.running(), 5, f"{sidecar.name} ends")
                self.assertEqual(sidecar.process.exit_code, 0, sidecar.process.log_tail())


class LostDisk(unittest.TestCase):
    def test_a_voter_whose_data_dir_is_removed_observes_and_says_so(self):
        with Ring() as ring:
            voter = next(s for s in ring.sidecars if s is not ring.leader())
            shutil.rmtree(voter.settings["ring"]["data_dir"])
            ring.add_instance("orders-4")  # a write
            wait_until(lambda: voter.try_(lambda: voter.ring()["role"]) == "observing", 5,
                       lambda: f"it observes\n{voter.process.log_tail()}")
            self.assertIn("out of use until a restart", voter.process.log_text())
            wait_until(lambda: voter.ring()["quorum"], 3, lambda: f"it hears a quorum\n{voter.process.log_tail()}")
            links = voter.process.log_text().count("link to member")
            time.sleep(2.5)  # those that knew it as a voter dial again meanwhile
            self.assertEqual(voter.process.log_text().count("link to member"), links, voter.process.log_tail())
            self.assertEqual(http_client.call(voter.outbound, "orders").status, 200)

    def test_voters_that_lost_all_do_not_begin_a_new_history(self):
        with Ring() as ring:
            birth = ring.leader().ring()["birth_id"]
            for sidecar in ring.sidecars:
                sidecar.kill()
            for sidecar in ring.sidecars[:2]:
                shutil.rmtree(sidecar.settings["ring"]["data_dir"])
                sidecar.start()
            time.sleep(2.5)
            self.assertEqual([s.ring()["quorum"] for s in ring.sidecars[:2]], [False, False])
            ring.sidecars[2].start()
            self.assertEqual(ring.leader(10).ring()["birth_id"], birth)

    def test_a_voter_with_damaged_files_serves_and_is_brought_up_to_date(self):
        with Ring() as ring:
            voter = next(s for s in ring.sidecars if s is not ring.leader())
            voter.kill()
            folder = voter.settings["ring"]["data_dir"]
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "r+b") as out:
                    out.write(os.urandom(64))
            voter.start().wait_ready()
            self.assertIn("may have lost what it acknowledged", voter.process.log_text())
            wait_until(lambda: voter.ring()["role"] == "following", 5, "it follows")
            wait_until(lambda: http_client.call(voter.outbound, "orders").status == 200, 5, "calls pass")


class TakenAddress(unittest.TestCase):
    def test_the_older_of_two_says_that_its_entry_was_taken(self):
        with Ring() as ring:
            older = ring.sidecars[0]
            ring.sidecar("twin", ring.member(ring.apps[0])).wait_ready()
            wait_until(lambda: older.json("/v1/status").get("registration", {}).get("state") == "taken", 8,
                       lambda: f"{older.json('/v1/status')}\n{older.process.log_tail()}")
            ring.caller.wait_up("orders", 3)


class ProxyPort(unittest.TestCase):
    def test_slow_clients_and_a_long_pipeline_are_served_beside_others(self):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")])
            with Dripping(caller.outbound, 400), connect(caller.outbound, 20) as client:
                count = 3000
                sender = threading.Thread(target=client.sendall, args=(b"GET / HTTP/1.1\r\nHost: orders\r\n\r\n" * count,))
                sender.start()
                came = b""
                while came.count(b"HTTP/1.1 200") < count:
                    piece = client.recv(1 << 20)
                    self.assertTrue(piece, "the pipeline was cut off")
                    came += piece
                sender.join()
                self.assertEqual(http_client.call(caller.outbound, "orders").status, 200)

    def test_an_app_that_never_comes_to_its_answer_is_bad_response(self):
        with socket.create_server(("127.0.0.1", 0)) as app, Bench() as bench:
            caller = bench.sidecar("caller", {"upstreams": {"orders": {
                "endpoints": [f"127.0.0.1:{app.getsockname()[1]}"], "retry": {"attempts": 0}}}}).wait_ready()
            talker = threading.Thread(target=self._early_hints, args=(app,))
            talker.start()
            answer = exchange(caller.outbound, b"GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n")
            talker.join(5)
            self.assertIn(b"x-ringside-error: bad_response", answer)

    @staticmethod
    def _early_hints(app):
        connection, _ = app.accept()
        with connection:
            try:
                while True:
                    connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            except ConnectionError:
                pass  # the caller had enough


class Descriptors(unittest.TestCase):
    def test_a_flood_that_takes_them_all_passes(self):
        with Bench() as bench:
            app = bench.app("a")
            caller = bench.static_caller("orders", [app])
            resource.prlimit(caller.pid, resource.RLIMIT_NOFILE, (64, 64))
            flood = [connect(caller.outbound) for _ in range(100)]
            time.sleep(0.5)
            for client in flood:
                client.close()
            wait_until(lambda: caller.try_(lambda: http_client.call(caller.outbound, "orders", timeout=1).status) == 200, 5,
                       lambda: f"calls pass again\n{caller.process.log_tail()}")
            self.assertLess(len(caller.process.log_text().splitlines()), 60)
            self.assertEqual(caller.ring()["role"], "leading")


class EmptyWords(unittest.TestCase):
    def test_they_are_wrong_usage(self):
        for words in (("check", ""), ("run", "-c", ""), ("run", "--voters", ""), ("run", "--service", ""), ("endpoints", "")):
            with self.subTest(words=words):
                ended = cli(*words, timeout=5)
                self.assertEqual(ended.returncode, 2)
                self.assertIn("is empty", ended.stderr + ended.stdout)


if __name__ == "__main__":
    unittest.main()
