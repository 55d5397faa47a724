"""`ring recover`: two of three voters are lost with their disks, the third begins the ring anew."""
import json
import shutil
import unittest

from ringside_testing import http_client
from ringside_testing.process import wait_until
from ringside_testing.ring import Ring
from ringside_testing.sidecar import cli


def put(sidecar, path, data, expected=(200, 201)):
    answer = http_client.request(sidecar.admin, "PUT", f"/v1/znode{path}", body=data, timeout=20)
    assert answer.status in expected, answer
    return answer.json()


def recover(sidecar, *arguments):
    return cli("ring", "recover", "--admin", f"127.0.0.1:{sidecar.admin}", *arguments, timeout=60)


class QuorumLostForGood(unittest.TestCase):
    def lose_two(self, ring):
        """All but the first are gone; what they had on disk is set aside for `ghost`."""
        survivor, *lost = ring.sidecars
        put(survivor, "/kept", b"here")
        for other in lost:
            other.kill()
        wait_until(lambda: not survivor.ring()["quorum"], 10, "it has lost the quorum")
        return survivor, lost

    def wait_allowed(self, survivor):
        plan = wait_until(lambda: (lambda got: got if "nothing was done" in got.stderr else None)(recover(survivor)), 15,
                          lambda: f"a recovery is allowed: {recover(survivor)}")
        return plan.stdout

    def check_anew(self, survivor, birth):
        wait_until(lambda: survivor.try_(lambda: survivor.ring()["quorum"]), 15,
                   lambda: f"it has a quorum: {survivor.try_(survivor.ring)}\n{survivor.process.log_tail(20)}")
        self.assertNotEqual(survivor.ring()["birth_id"], birth)
        read = http_client.request(survivor.admin, "GET", "/v1/znode/kept?sync", timeout=20)
        self.assertEqual(read.json()["data"], "here")
        put(survivor, "/after", b"new")

    def test_alone_by_settings_that_name_only_itself(self):
        with Ring() as ring:
            birth = ring.sidecars[0].ring()["birth_id"]
            # While there is a quorum it is refused, and so it is on an observer.
            refused = recover(ring.sidecars[0], "--yes")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("recovery_refused", refused.stderr)
            self.assertEqual(recover(ring.caller, "--yes").returncode, 1)

            survivor, lost = self.lose_two(ring)
            early = recover(survivor, "--yes")
            self.assertIn("too early", early.stderr)
            survivor.settings["ring"]["voters"] = ring.voters[:1]
            survivor.write_settings()
            plan = self.wait_allowed(survivor)
            self.assertIn("is lost for good", plan)
            self.assertIn(ring.voters[2], plan)
            self.assertEqual(survivor.ring()["birth_id"], birth)  # a plan changes nothing

            done = recover(survivor, "--yes", "--json")
            self.assertEqual(done.returncode, 0, f"{done}\n{survivor.process.log_tail(20)}")
            answer = json.loads(done.stdout)
            self.assertEqual((answer["done"], answer["voters"]), (True, ring.voters[:1]))
            self.check_anew(survivor, birth)
            wait_until(lambda: survivor.json("/v1/status")["registration"]["state"] == "registered", 10,
                       lambda: f"its service is registered: {survivor.json('/v1/status')}")

            # One of the old members comes back with its old disk; the caller is one that observed the old birth.
            ghost = lost[0]
            ghost.start()
            for old in (ghost, ring.caller):
                wait_until(lambda: "another birth" in old.process.log_text(), 10,
                           lambda: f"{old.name} is refused\n{survivor.process.log_tail(10)}\n{old.process.log_tail(10)}")
                self.assertFalse(wait_until(lambda: old.try_(old.ring), 5, "it answers")["quorum"])
            ghost.kill()
            ring.caller.kill()
            ring.caller.start().wait_ready()
            wait_until(lambda: ring.caller.ring()["quorum"], 10, "an observer takes part again after a restart")
            self.assertEqual(ring.caller.ring()["birth_id"], survivor.ring()["birth_id"])

            # What began anew is on disk: also after a restart.
            survivor.kill()
            survivor.start().wait_ready()
            self.check_anew(survivor, birth)
            self.assertEqual(http_client.request(survivor.admin, "GET", "/v1/znode/after?sync").json()["data"], "new")

    def test_with_two_new_voters_that_are_empty(self):
        with Ring() as ring:
            birth = ring.sidecars[0].ring()["birth_id"]
            survivor, lost = self.lose_two(ring)
            self.wait_allowed(survivor)
            done = recover(survivor, "--yes")
            self.assertEqual(done.returncode, 0, f"{done}\n{survivor.process.log_tail(20)}")
            self.assertFalse(survivor.ring()["quorum"])  # it waits for the two
            for other in lost:
                shutil.rmtree(other.settings["ring"]["data_dir"])
                other.start()
            self.check_anew(survivor, birth)
            for other in lost:
                wait_until(lambda: other.try_(lambda: other.ring()["quorum"]), 10, lambda: f"{other.name} follows")
            survivor.kill()  # the two new ones are a quorum by themselves
            self.check_anew(lost[0], birth)
