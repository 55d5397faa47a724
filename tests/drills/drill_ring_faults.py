"""Faults on a real ring in network namespaces, under clients that write and read: nothing acknowledged is lost, no epoch has two
leaders, and the ring is whole again soon after each.

RINGSIDE_SEED chooses the faults; a failing run says which. RINGSIDE_FAULTS=wipe,flip: these kinds alone. RINGSIDE_FULL=1: a hundred
rounds instead of ten.
"""
import os
import random
import unittest

from ringside_testing import netns, ring_faults, znode_load
from ringside_testing.isolated_ring import IsolatedRing
from ringside_testing.process import wait_until
from ringside_testing.ring_watch import RingWatch
from ringside_testing.znode_load import ZnodeLoad

_ROUNDS = 100 if os.environ.get("RINGSIDE_FULL") else 10
_SEED = os.environ.setdefault("RINGSIDE_SEED", str(random.randrange(1_000_000)))  # also for who runs this as root
_RECOVERS_SECONDS = 10.0
_VOTERS = (3, 5)


def kinds(draw, rounds):
    """Every kind of fault as often as the others, in any order."""
    wanted = os.environ.get("RINGSIDE_FAULTS", "").split(",")
    some = [fault for fault in ring_faults.ALL if wanted == [""] or fault.__name__ in wanted]
    deck = []
    while len(deck) < rounds:
        deck += draw.sample(some, len(some))
    return deck[:rounds]


class RingFaults(unittest.TestCase):
    def hold(self, ring, load, folders, values):
        """All members have one tree, and in it everything that was promised."""
        load.rest()
        wait_until(lambda: len({(member.state() or {}).get("applied_zxid") for member in ring.members}) == 1, 10,
                   lambda: f"all members have applied the same: {[member.state() for member in ring.members]}")
        for folder in folders:
            trees = {member: znode_load.tree(member, folder, values) for member in ring.members}
            promised = load.promises.get(folder, set())
            for member, found in trees.items():
                self.assertEqual(promised - found.keys(), set(), f"acknowledged in {folder}, and lost at {member}")
                self.assertEqual(found, trees[ring.members[0]], f"the trees of {member} and {ring.members[0]} differ in {folder}")
                if values:
                    self.assertEqual([name for name, value in found.items() if value != f"value of {name}"], [])
        self.assertEqual(load.problems(), [])

    def one_round(self, ring, watch, load, number, fault, draw):
        folder = f"r{number:04}"
        load.go_on(folder)
        told = fault(ring, draw)
        ring.heal()
        took = ring.wait_whole(_RECOVERS_SECONDS)
        for member in ring.members:
            def written(member=member):
                with member.host.entered():
                    return znode_load.put(member, f"{znode_load.ROOT}/{folder}/whole-{member.at}", f"value of whole-{member.at}")
            wait_until(written, _RECOVERS_SECONDS, f"a write through {member} is acknowledged")
        self.hold(ring, load, [folder], values=True)
        self.assertEqual(watch.problems(), [])
        print(f"        round {number}: {told}; whole {took:.2f} s after it was healed; "
              f"{len(load.promises.get(folder, ()))} znodes acknowledged and there", flush=True)

    def drill(self, voters):
        code = netns.as_root(__file__, self.id().rsplit(".", 1)[1])
        if code is not None:
            return self.assertEqual(code, 0, "the drill, run as root, failed (above)")
        draw = random.Random(f"{_SEED}-{voters}")
        print(f"        RINGSIDE_SEED={_SEED}, {voters} voters and an observer", flush=True)
        rounds = _ROUNDS // len(_VOTERS)
        # Both rings share one deck, so that a short run has every kind once.
        deck = kinds(random.Random(_SEED), _ROUNDS)[_VOTERS.index(voters)::len(_VOTERS)]
        with IsolatedRing(voters) as ring, RingWatch(ring) as watch, ZnodeLoad(ring, _SEED) as load:
            for number in range(rounds):
                self.one_round(ring, watch, load, number, deck[number], draw)
            self.hold(ring, load, sorted(load.promises), values=False)
            print(f"        {rounds} rounds, {load.acknowledged()} znodes acknowledged and none lost, {load.reads()} synced reads, "
                  f"{watch.epochs()} epochs in {watch.looks} looks, one leader each", flush=True)

    def test_three_voters(self):
        self.drill(3)

    def test_five_voters(self):
        self.drill(5)


