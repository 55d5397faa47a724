"""/v1/znode with real processes: through every member, over the loss of the leader, with nonsense."""
import base64
import http.client
import json
import random
import signal
import socket
import statistics
import time
import unittest

from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring, SESSION_TIMEOUT_SECONDS


def ask(sidecar, method, path, body=None, timeout=20.0, headers=None):
    """(status, JSON or text) of one request to the admin port."""
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.admin, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        if answer.getheader("Content-Type") == "application/json":
            return answer.status, json.loads(text)
        return answer.status, text
    finally:
        connection.close()


class OneMember(unittest.TestCase):
    def test_every_method_with_its_conditions(self):
        with Bench() as bench:
            one = bench.sidecar("one").wait_ready()
            status, made = ask(one, "PUT", "/v1/znode/app%20data", b"first")
            self.assertEqual((status, made["created"], made["path"], made["version"]), (201, True, "/app data", 0))
            status, put = ask(one, "PUT", "/v1/znode/app%20data?version=0", b"\x00\xff")
            self.assertEqual((status, put["created"], put["version"]), (200, False, 1))
            self.assertEqual(ask(one, "PUT", "/v1/znode/app%20data?version=0", b"x")[1]["error"], "bad_version")
            status, read = ask(one, "GET", "/v1/znode/app%20data?sync")
            self.assertEqual((status, read["encoding"], base64.b64decode(read["data"])), (200, "base64", b"\x00\xff"))
            self.assertEqual(read["stat"]["mzxid"], put["zxid"])
            self.assertLess(abs(read["stat"]["mtime"] / 1000 - time.time()), 5)
            self.assertEqual(ask(one, "GET", "/v1/znode/app%20data?raw"), (200, b"\x00\xff"))
            self.assertEqual(ask(one, "PUT", "/v1/znode/a/b/c?parents", b"deep")[0], 201)
            self.assertEqual(ask(one, "POST", "/v1/znode/a?sequential&name=job-")[1]["path"], "/a/job-0000000001")
            self.assertEqual(sorted(ask(one, "GET", "/v1/znode/a")[1]["children"]), ["b", "job-0000000001"])
            self.assertEqual(ask(one, "DELETE", "/v1/znode/a")[1]["error"], "not_empty")
            self.assertEqual(ask(one, "DELETE", "/v1/znode/a/job-0000000001?version=1")[0], 409)
            self.assertEqual(ask(one, "DELETE", "/v1/znode/a/job-0000000001")[0], 200)
            self.assertEqual(ask(one, "DELETE", "/v1/znode/a/job-0000000001")[0], 404)
            self.assertEqual(ask(one, "PUT", "/v1/znode/", b"root")[1]["version"], 1)
            status, root = ask(one, "PUT", "/v1/znode/?version=1", b"again")
            self.assertEqual((status, root["version"], root["stat"]["mzxid"]), (200, 2, root["zxid"]))
            self.assertIn("U+FFF0", ask(one, "PUT", "/v1/znode/%F0%9F%98%80", b"x")[1]["hint"])
            self.assertEqual(ask(one, "PUT", "/v1/znode/x", b"y", headers={"Host": "evil.example"})[1]["error"], "bad_host")
            self.assertEqual(ask(one, "PUT", "/v1/znode/ringside/services/a/b", b"y")[0], 403)

    def test_the_largest_data_and_one_byte_more(self):
        with Bench() as bench:
            one = bench.sidecar("one").wait_ready()
            whole = random.Random(1).randbytes(1 << 20)
            self.assertEqual(ask(one, "PUT", "/v1/znode/big", whole)[0], 201)
            self.assertEqual(ask(one, "GET", "/v1/znode/big?raw"), (200, whole))
            status, refused = ask(one, "PUT", "/v1/znode/big", whole + b"x")
            self.assertEqual((status, refused["error"]), (413, "too_large"))

    def test_nonsense_is_answered_and_the_process_lives(self):
        chance = random.Random(11)
        methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "FOO"]
        pieces = ["/", "%", "%00", "%2f", "?", "&", "=", "version=", "-1", "99999999999", "raw", "..", "a", "\xe9", "%ff", "+",
                  "timeout=", "1s", "name=", "sequential", "ephemeral", "#", ";", "x" * 1500, "%0d%0a"]
        with Bench() as bench:
            one = bench.sidecar("one").wait_ready()
            for _ in range(400):
                target = "/v1/znode" + "".join(chance.choice(pieces) for _ in range(chance.randrange(7)))
                method = chance.choice(methods)
                body = chance.randbytes(chance.choice([0, 0, 10, 3000]))
                request = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
                with socket.create_connection(("127.0.0.1", one.admin), timeout=10) as plain:
                    plain.sendall(request.encode("latin-1") + body)
                    first = plain.recv(64)
                self.assertRegex(first, rb"^HTTP/1.1 [2-5]\d\d ", request)
                self.assertNotIn(first[9:12], (b"500", b"503", b"504"), request)
            self.assertTrue(one.process.running(), one.process.log_tail())
            self.assertEqual(one.get("/healthz").status, 200)

    def test_an_ephemeral_goes_with_a_clean_stop_and_with_a_death(self):
        with Ring(size=1) as ring:
            one, owner = ring.sidecars[0], ring.caller
            # An observer without a service has a session too.
            self.assertEqual(ask(owner, "PUT", "/v1/znode/ringside/lock?ephemeral", b"me")[0], 201)
            self.assertEqual(ask(one, "PUT", "/v1/znode/ringside/lock?ephemeral")[1]["error"], "node_exists")
            owner.stop()
            self.assertEqual(ask(one, "GET", "/v1/znode/ringside/lock?sync")[0], 404)
            owner.start().wait_ready()
            self.assertEqual(ask(owner, "PUT", "/v1/znode/ringside/lock?ephemeral", b"me")[0], 201)
            owner.kill()
            began = time.monotonic()
            wait_until(lambda: ask(one, "GET", "/v1/znode/ringside/lock?sync")[0] == 404, 10, "the lock goes")
            self.assertGreater(time.monotonic() - began, SESSION_TIMEOUT_SECONDS / 2)


class WholeRing(unittest.TestCase):
    def test_written_anywhere_read_anywhere_after_a_sync(self):
        with Ring() as ring:
            everybody = [*ring.sidecars, ring.caller]
            for i, writer in enumerate(everybody):
                self.assertIn(ask(writer, "PUT", "/v1/znode/ringside/shared", str(i))[0], (200, 201))
                for reader in everybody:
                    self.assertEqual(ask(reader, "GET", "/v1/znode/ringside/shared?sync")[1]["data"], str(i))
            # Outside what an observer holds it writes, and says that it cannot read.
            status, made = ask(ring.caller, "PUT", "/v1/znode/elsewhere", b"x")
            self.assertEqual((status, made["stat"]), (201, None))
            self.assertEqual(ask(ring.caller, "PUT", "/v1/znode/elsewhere", b"y")[0], 200)
            self.assertEqual(ask(ring.caller, "GET", "/v1/znode/elsewhere")[1]["error"], "not_in_view")
            self.assertEqual(ask(ring.sidecars[0], "GET", "/v1/znode/elsewhere?sync")[1]["data"], "y")

    def test_a_write_rides_through_the_loss_of_the_leader(self):
        with Ring() as ring:
            leader = ring.leader()
            follower = next(s for s in ring.sidecars if s is not leader)
            self.assertEqual(ask(follower, "PUT", "/v1/znode/counter", "0")[0], 201)
            took, version = [], 0
            for i in range(60):
                if i == 30:
                    leader.kill()
                began = time.monotonic()
                while True:
                    status, answer = ask(follower, "PUT", f"/v1/znode/counter?version={version}", str(i))
                    if status == 200:
                        break
                    # Unknown: a look tells. Anything else would be a fault.
                    self.assertEqual(answer["error"], "connection_loss", answer)
                    status, seen = ask(follower, "GET", "/v1/znode/counter?sync")
                    self.assertEqual(status, 200)
                    if seen["data"] == str(i):
                        break
                version += 1
                took.append(time.monotonic() - began)
            self.assertEqual(ask(follower, "GET", "/v1/znode/counter?sync")[1]["version"], 60)
            print(f"    write median {statistics.median(took) * 1000:.1f} ms, longest {max(took) * 1000:.1f} ms", flush=True)
            self.assertLess(max(took), 2)

    def test_without_a_quorum_reads_are_stale_and_writes_say_that_nothing_was_done(self):
        with Ring() as ring:
            survivor = ring.sidecars[0]
            self.assertEqual(ask(survivor, "PUT", "/v1/znode/kept", b"here")[0], 201)
            for other in ring.sidecars[1:]:
                other.kill()
            wait_until(lambda: ask(survivor, "GET", "/v1/znode/kept")[1]["stale"], 10, "it says that the view is stale")
            self.assertEqual(ask(survivor, "GET", "/v1/znode/kept")[1]["data"], "here")
            for method, query in (("PUT", ""), ("DELETE", ""), ("GET", "&sync")):
                status, answer = ask(survivor, method, f"/v1/znode/kept?timeout=300ms{query}")
                self.assertEqual((status, answer["error"]), (503, "no_quorum"))
            self.assertEqual(survivor.get("/healthz").status, 200)

    def test_the_leader_knows_what_every_sidecar_has_routed(self):
        with Ring() as ring:
            made = ask(ring.sidecars[0], "PUT", "/v1/znode/marker", b"x")[1]["zxid"]

            def all_routed():
                state = ring.leader().ring()
                members = [member for member in state["members"] if member["connected"]]
                return len(members) == 4 and all(
                    member["routed_zxid"] and int(member["routed_zxid"], 16) >= int(made, 16) for member in members) and \
                    int(state["routed_minimum_zxid"], 16) >= int(made, 16)
            wait_until(all_routed, 5, lambda: f"everybody routes {made}: {ring.leader().ring()}")
            self.assertEqual(ring.leader().ring()["sessions"], 4)
            # A sidecar that cannot say so any more holds the minimum back until its session ends.
            ring.caller.process.signal(signal.SIGSTOP)
            try:
                later = ask(ring.sidecars[0], "PUT", "/v1/znode/marker", b"y")[1]["zxid"]
                self.assertLess(int(ring.leader().ring()["routed_minimum_zxid"], 16), int(later, 16))
                wait_until(lambda: int(ring.leader().ring()["routed_minimum_zxid"], 16) >= int(later, 16), 10, "its session ends")
            finally:
                ring.caller.process.signal(signal.SIGCONT)
            wait_until(lambda: ring.leader().ring()["sessions"] == 4, 5, "it takes a new session")
