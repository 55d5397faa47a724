#!/usr/bin/python3
"""A thousand sidecar sessions on three voters: what keeping them alive costs, and that none expires while voters are killed.

    sessions_bench.py [--sessions 1000] [--minutes 3] [--every 30] [--timeout-ms 6000]

One process holds the sidecars: each is a production observer with links of its own to all voters, a session that it
touches as a sidecar does, and an ephemeral znode under /ringside that goes when the session expires. First 20 s of
calm: bytes each way on the leader's ring port and CPU of the voters and of the load. Then every --every seconds one
voter in turn, the leader among them, is killed (kill -9) and started again 5 s later.
"""
import argparse
import re
import subprocess
import threading
import time

from bench_peers import Voters, cpu_seconds, rss_mib, wait_until, words

_CALM = 20.0
_DOWN = 5.0


class Watch:
    """Reads what the load prints: how many sidecars are in touch and how many znodes are left."""

    def __init__(self, load):
        self.load, self.opened, self.least, self.last = load, False, None, {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.load.stdout:
            values = words(line)
            if line.startswith("open"):
                self.opened = True
            elif values.get("entries", -1) >= 0:
                self.last = values
                self.least = values["entries"] if self.least is None else min(self.least, values["entries"])


def traffic(port):
    """Bytes (in, out) so far on the connections that stand at this local port."""
    out = subprocess.run(["ss", "-tinHO", "state", "established", "sport", "=", f":{port}"], capture_output=True, text=True, check=True).stdout
    return (sum(map(int, re.findall(r"bytes_received:(\d+)", out))), sum(map(int, re.findall(r"bytes_sent:(\d+)", out))))


def calm(bench, load):
    leader = bench.leader()
    port = bench.ring_ports[bench.sidecars.index(leader)]
    pids = [sidecar.pid for sidecar in bench.sidecars] + [load.pid]
    before, cpu, began = traffic(port), [cpu_seconds(pid) for pid in pids], time.monotonic()
    time.sleep(_CALM)
    took = time.monotonic() - began
    got, sent = (now - was for now, was in zip(traffic(port), before))
    cpu = [(cpu_seconds(pid) - was) / took * 100 for pid, was in zip(pids, cpu)]
    names = [sidecar.name + (" (leads)" if sidecar is leader else "") for sidecar in bench.sidecars] + ["load"]
    print(f"calm, at the leader: {got / took / 1024:.0f} KiB/s in, {sent / took / 1024:.0f} KiB/s out; CPU of a core: "
          + ", ".join(f"{name} {share:.1f} %" for name, share in zip(names, cpu))
          + f"; memory of the leader {rss_mib(leader.pid):.0f} MiB", flush=True)


def kill_in_turn(bench, end, every, watch, expected):
    number = 0
    while time.monotonic() < end:
        victim = bench.sidecars[number % 3] if number % 2 else bench.leader()
        led = victim is bench.leader()
        victim.kill()
        struck = time.monotonic()
        bench.leader()
        ruled = time.monotonic() - struck
        time.sleep(max(0.0, struck + _DOWN - time.monotonic()))
        victim.start()
        victim.wait_ready()
        time.sleep(max(0.0, min(struck + every, end) - time.monotonic()))
        sessions = bench.leader().ring()["sessions"]
        print(f"kill -9 of {victim.name}{' (led)' if led else ''}: a leader after {ruled:.2f} s; {sessions} sessions, "
              f"{watch.last.get('joined', 0):.0f} of {expected} in touch, {watch.last.get('entries', 0):.0f} entries", flush=True)
        number += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--every", type=float, default=30)
    parser.add_argument("--timeout-ms", type=int, default=6000)
    arguments = parser.parse_args()
    expected = arguments.sessions
    with Voters() as bench:
        load = bench.load("sessions", count=expected, timeout_ms=arguments.timeout_ms,
                          seconds=int(arguments.minutes * 60 + _CALM + 60), every=1)
        try:
            watch = Watch(load)
            began = time.monotonic()
            wait_until(lambda: watch.opened or load.poll() is not None, 300, "all sessions are open", 0.2)
            print(f"{expected} sessions open and registered after {time.monotonic() - began:.1f} s", flush=True)
            time.sleep(3)
            calm(bench, load)
            kill_in_turn(bench, time.monotonic() + arguments.minutes * 60, arguments.every, watch, expected)
            sessions = bench.leader().ring()["sessions"]
            lost = expected - watch.least
            print(f"{arguments.minutes:g} minutes with one voter killed every {arguments.every:g} s: {lost:.0f} sessions expired; "
                  f"{sessions} open at the end")
            return 1 if lost else 0
        finally:
            load.kill()
            load.wait()


if __name__ == "__main__":
    raise SystemExit(main())
