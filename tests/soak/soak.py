"""The soak: a load through one caller's sidecar for as long as asked, while each second an instance comes or goes.

Three voters with an instance each and the caller stay; six guests are drawn: registered, drained (sidecar, then app), killed -9
with their sidecar, or stopped app first. Every minute one line says what came of the requests, judged by the rules of the drills
(ringside_testing/drill_rules.py), and what the lasting sidecars hold. It ends with 1 when
  - a call failed that no kill and no closed connection explains, or a POST reached an app twice; or
  - the memory of a lasting sidecar in the last quarter was on average over 4 MiB more than in the second quarter; or
  - its descriptors were on average over a tenth and 16 more.
So that nothing but Ringside decides this, the machine should have nothing else to do: an open loop against a machine that is
busy elsewhere queues, and holds hundreds of connections meanwhile.
"""
import argparse
import collections
import random
import statistics
import sys
import time

from guests import WAYS, Guest
from ringside_testing.drill_load import DrillLoad
from ringside_testing.drill_ring import DrillRing
from ringside_testing.drill_rules import judge

_GUESTS = 6
_SAMPLE_SECONDS = 5
_GROWTH_KIB = 4096
_DELAY_MS = 5


class SoakRing(DrillRing):
    """Knows who is up by the caller's word, asked at most ten times a second."""

    def __init__(self, **flags):
        super().__init__(instances=3, **flags)
        self._names, self._asked = set(), 0.0

    def up_names(self):
        if time.monotonic() - self._asked > 0.1:
            self._asked = time.monotonic()
            ports = {app.port: app.name for app in self.apps}
            self._names = {ports[endpoint["port"]] for endpoint in self.caller.up(self.service)}
        return self._names


class Soak:
    def __init__(self, arguments, ring, load):
        self.ring, self.load, self.draw, self.ways = ring, load, random.Random(arguments.seed), arguments.ways
        self.incidents, self.problems = [], []
        self.samples = collections.defaultdict(list)  # sidecar, what: [(when, value)]
        self.done = collections.Counter()
        self.allowed = 0
        self.guests = []

    def add_guests(self):
        for at in range(_GUESTS):
            app, sidecar = self.ring.add_instance(f"guest-{at + 1}")
            self.guests.append(Guest(self.ring, app, sidecar, self.incidents.append))

    def churn(self):
        """One instance comes or goes; two at least stay, so that there is always somebody to come and to go."""
        up = [guest for guest in self.guests if guest.state == "up"]
        absent = [guest for guest in self.guests if guest.state == "absent"]
        if absent and (len(up) <= 2 or self.draw.random() < 0.5):
            self.draw.choice(absent).begin()
            self.done["registered"] += 1
        elif len(up) > 1:
            way = self.draw.choice(self.ways)
            self.draw.choice(up).leave(way)
            self.done[way] += 1

    def sample(self):
        now = time.monotonic()
        for sidecar in [self.ring.caller, *self.ring.sidecars[:3]]:
            self.samples[sidecar.name, "KiB"].append((now, sidecar.process.rss_kib()))
            self.samples[sidecar.name, "fds"].append((now, sidecar.process.descriptors()))

    def judge(self, counts):
        """What is wrong, and how many were lost with who had them."""
        before = sum(one.used for one in self.incidents)
        found = [problem for problem in judge(counts, self.ring.apps, self.incidents) if problem not in self.problems]
        allowed = sum(one.used for one in self.incidents) - before
        self.problems += found
        self.allowed += allowed
        self.incidents[:] = [one for one in self.incidents if one.ended > time.monotonic() - 120]
        return found, allowed

    def minute(self, number):
        counts = self.load.report()
        while any(guest.state == "app stopping first" for guest in self.guests):  # what it costs is known at its end
            time.sleep(0.02)
            for guest in self.guests:
                guest.poll()
        found, allowed = self.judge(counts)
        held = "; ".join(f"{name} {self.samples[name, 'KiB'][-1][1] / 1024:.1f} MiB {self.samples[name, 'fds'][-1][1]} fds"
                         for name in [self.ring.caller.name, *(sidecar.name for sidecar in self.ring.sidecars[:3])])
        causes = {f"{method} {what}": count for method, by in counts.outcomes.items() for what, count in by.items() if what != "ok"}
        print(f"minute {number}: {counts.requests} requests, {len(found)} problems, failed {causes or 0} ({allowed} of them lost with "
              f"who had them), p50 {counts.p50_ms:.1f} p99 {counts.p99_ms:.1f} max {counts.max_ms:.0f} ms; "
              f"{dict(self.done)}; {held}", flush=True)
        for problem in found[:5]:
            print(f"    {problem}", flush=True)
        self.done.clear()

    def run(self, minutes):
        began = time.monotonic()
        next_churn, next_sample, next_minute, number = began, began, began + 60, 0
        while number < minutes:
            time.sleep(0.02)
            now = time.monotonic()
            for guest in self.guests:
                guest.poll()
            if now >= next_churn:
                self.churn()
                next_churn += 1
            if now >= next_sample:
                self.sample()
                next_sample += _SAMPLE_SECONDS
            if now >= next_minute:
                number += 1
                self.minute(number)
                next_minute += 60

    def growth(self, began, ended):
        quarter = (ended - began) / 4
        for (name, what), samples in sorted(self.samples.items()):
            second = statistics.mean(value for at, value in samples if began + quarter <= at < began + 2 * quarter)
            last = statistics.mean(value for at, value in samples if at >= began + 3 * quarter)
            limit = second + _GROWTH_KIB if what == "KiB" else second * 1.1 + 16
            print(f"{name}: {second:.0f} {what} in the second quarter, {last:.0f} in the last (at most {limit:.0f})", flush=True)
            if last > limit:
                self.problems.append(f"{name} has grown: {second:.0f} to {last:.0f} {what}")


def main():
    parser = argparse.ArgumentParser(prog="tests/soak/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="how instances go; with `drained` alone no POST can be lost")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"{arguments.minutes} minutes at {arguments.rate:g} requests/s, seed {arguments.seed}", flush=True)
    room = int(arguments.rate * 60 * (arguments.minutes + 2))
    with SoakRing(ids=room, delay_ms=_DELAY_MS) as ring, DrillLoad(ring.caller.outbound, ring.service, arguments.rate) as load:
        soak = Soak(arguments, ring, load)
        soak.add_guests()
        ring.caller.wait_up(ring.service, 3 + _GUESTS, 30)
        began = time.monotonic()
        soak.run(arguments.minutes)
        soak.growth(began, time.monotonic())
        soak.judge(load.finish())
        print(f"all: {load.total.summary()}")
        print(f"{soak.allowed} POSTs lost with who had them, {len(soak.problems)} problems")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
