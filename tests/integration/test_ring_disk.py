"""A voter whose disk is no use: its sidecar goes on as an observer, calls go on, and it says so."""
import os
import time
import unittest

from ringside_testing import http_client
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring


def links_ended(sidecar):
    return sidecar.process.log_text().count("link to member")


class VoterWithoutDisk(unittest.TestCase):
    def check_observes(self, ring, victim):
        wait_until(lambda: victim.try_(lambda: victim.ring()["role"] == "observing" and victim.ring()["quorum"]), 10,
                   lambda: f"{victim.name} observes\n{victim.process.log_tail(20)}")
        self.assertTrue(victim.json("/v1/status")["fenced"])
        self.assertTrue(victim.json("/v1/status")["ring"].startswith("fenced"))
        self.assertEqual(victim.get("/readyz").status, 200)
        victim.wait_up("orders", 3)
        self.assertEqual(http_client.call(victim.outbound, "orders").status, 200)
        time.sleep(0.5)  # the links of the voter that it was have ended
        before = links_ended(victim)
        time.sleep(3)
        self.assertEqual(links_ended(victim), before, f"its links do not stand\n{victim.process.log_tail(20)}")
        self.assertEqual(victim.json("/v1/status")["registration"]["state"], "registered")

    def test_a_disk_lost_at_work_makes_it_an_observer(self):
        with Ring() as ring:
            leader = ring.leader()
            victim = next(s for s in ring.sidecars if s is not leader)
            folder = victim.settings["ring"]["data_dir"]
            os.rename(folder, folder + ".gone")
            leader.kill()  # the next epoch must be written down
            wait_until(lambda: "out of use" in victim.process.log_text(), 10, lambda: f"it says so\n{victim.process.log_tail(20)}")
            self.assertTrue(victim.process.running(), victim.process.log_tail(20))
            leader.start().wait_ready()
            self.check_observes(ring, victim)

    def test_a_data_dir_of_another_member_makes_it_an_observer(self):
        with Ring() as ring:
            victim, other = [s for s in ring.sidecars if s is not ring.leader()]
            victim.kill()
            with open(os.path.join(other.settings["ring"]["data_dir"], "manifest"), "rb") as theirs, \
                    open(os.path.join(victim.settings["ring"]["data_dir"], "manifest"), "wb") as ours:
                ours.write(theirs.read())
            victim.start().wait_ready()
            self.check_observes(ring, victim)


class FailedStart(unittest.TestCase):
    def test_a_ring_port_in_use_ends_it_with_1_and_says_which(self):
        with Bench() as bench:
            first = bench.sidecar("first").wait_ready()
            second = bench.sidecar("second", {"ring": {"listen": first.settings["ring"]["listen"]}})
            wait_until(lambda: not second.process.running(), 10, lambda: f"it has ended\n{second.process.log_tail()}")
            self.assertEqual(second.process.exit_code, 1, second.process.log_tail())
            self.assertIn(first.settings["ring"]["listen"], second.process.log_text())


    def test_a_proxy_port_in_use_names_its_key(self):
        with Bench() as bench:
            first = bench.sidecar("first").wait_ready()
            second = bench.sidecar("second", {"proxy": {"outbound": first.settings["proxy"]["outbound"]}})
            wait_until(lambda: not second.process.running(), 10, lambda: f"it has ended\n{second.process.log_tail()}")
            self.assertEqual(second.process.exit_code, 1, second.process.log_tail())
            self.assertIn("(proxy.outbound)", second.process.log_text())


class StopAtOnce(unittest.TestCase):
    def test_a_second_signal_ends_it_with_0_whatever_runs(self):
        with Ring() as ring:
            for sidecar in ring.sidecars:
                sidecar.process.signal(15)
                wait_until(lambda s=sidecar: "draining first" in s.process.log_text(), 5, "the first signal is heard")
                sidecar.process.signal(15)
            for sidecar in ring.sidecars:
                wait_until(lambda s=sidecar: not s.process.running(), 5, lambda s=sidecar: f"{s.name} has ended\n{s.process.log_tail()}")
                self.assertEqual(sidecar.process.exit_code, 0, sidecar.process.log_tail())


if __name__ == "__main__":
    unittest.main()


class ShortenedVoters(unittest.TestCase):
    def test_a_voter_that_is_told_it_is_alone_does_not_lead_alone(self):
        with Ring() as ring:
            victim = next(s for s in ring.sidecars if s is not ring.leader())
            own, birth = victim.ring()["id"], victim.ring()["birth_id"]
            voters = victim.settings["ring"]["voters"]
            for sidecar in ring.sidecars:
                sidecar.kill()
            victim.settings["ring"]["voters"] = [voter for voter in voters if voter.startswith(f"{own}@")]
            victim.write_settings()
            victim.start()
            wait_until(lambda: "those count" in victim.process.log_text(), 10, victim.process.log_tail)
            time.sleep(2)
            self.assertEqual(victim.ring()["role"], "looking", victim.process.log_tail(20))
            for sidecar in ring.sidecars:
                if sidecar is not victim:
                    sidecar.start()
            ring.leader(timeout=15)
            wait_until(lambda: victim.ring()["quorum"], 10, lambda: f"it is back in its ring\n{victim.process.log_tail(20)}")
            self.assertEqual(victim.ring()["birth_id"], birth)
