#!/usr/bin/python3
"""What an idle observer costs: memory and wake-ups of a sidecar that only watches 1,000 endpoints of a ring.

    observer_bench.py [--endpoints 1000] [--services 50] [--seconds 60] [--voters 3]

Voters without a service; the endpoints, each with a session and an ephemeral entry as a sidecar has them, from one
process (bench_ring); and one observer without a service, so without a health check. Nobody asks its admin port. It runs
from a copy of the binary, so that no other process shares these pages. After --seconds its PSS and RSS are read
(/proc/PID/smaps_rollup); voluntary context switches (/proc/PID/task/*/status, all threads) are counted over the
next --seconds. The same of a voter that follows, for information: it was asked through its admin port before.
The last line has the observer's figures beside the bars: PSS <= 12 MiB, at most 12 switches per second.
Takes two times --seconds and 10 s more. $RINGSIDE_BINARY is measured, else build/release/ringside.
"""
import argparse
import os
import re
import shutil
import sys
import time

from bench_peers import Voters, wait_until

from ringside_testing.sidecar import binary  # noqa: E402  (bench_peers made it importable)

_PSS_BAR_MIB = 12.0
_SWITCHES_BAR = 12.0


def seen(sidecar):
    return sum(service["endpoints"] for service in sidecar.json("/v1/services")["services"])


def rollup_mib(pid):
    """{Rss, Pss, Pss_Anon, Pss_File: MiB} of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return {name: int(kib) / 1024 for name, kib in re.findall(r"^(Rss|Pss|Pss_Anon|Pss_File):\s+(\d+) kB", rollup.read(), re.M)}


def switches(pid):
    """{thread: its voluntary context switches so far}."""
    counts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            counts[thread] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M).group(1))
    return counts


def rates(before, after, lasted):
    """Switches per second in all, and of each thread that switched."""
    each = sorted(((count - before.get(thread, 0)) / lasted for thread, count in after.items()), reverse=True)
    return sum(each), [rate for rate in each if rate]


def start_observer(bench):
    private = os.path.join(bench.folder, "ringside")
    shutil.copy(binary(), private)
    observer = bench.sidecar("observer", {"ring": {"voters": bench.voters, "session_timeout": "6s"}}, started=False)
    observer.process.command[0] = private
    return observer.start().wait_ready()


def measure(observer, voter, load, arguments):
    """{name: (memory, switches per second, those of each thread)}"""
    if not load.stdout.readline().startswith("open"):
        raise SystemExit("the endpoints were not registered")
    wait_until(lambda: seen(observer) == arguments.endpoints, 20, lambda: f"the observer sees all endpoints, not {seen(observer)}")
    pids = {"observer": observer.pid, "voter": voter.pid}
    time.sleep(arguments.seconds)
    memory = {name: rollup_mib(pid) for name, pid in pids.items()}
    before, began = {name: switches(pid) for name, pid in pids.items()}, time.monotonic()
    time.sleep(arguments.seconds)
    after, lasted = {name: switches(pid) for name, pid in pids.items()}, time.monotonic() - began
    if seen(observer) != arguments.endpoints:
        raise SystemExit(f"the observer lost endpoints: {seen(observer)} of {arguments.endpoints}")
    return {name: (memory[name], *rates(before[name], after[name], lasted)) for name in pids}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--voters", type=int, choices=(1, 3), default=3)
    arguments = parser.parse_args()
    with Voters(arguments.voters) as bench:
        leader = bench.leader()
        voter = next((sidecar for sidecar in bench.sidecars if sidecar is not leader), leader)
        observer = start_observer(bench)
        load = bench.load("endpoints", count=arguments.endpoints, services=arguments.services)
        try:
            measured = measure(observer, voter, load, arguments)
        finally:
            load.kill()
            load.wait()
    for name, (memory, whole, each) in measured.items():
        print(f"{name}: " + ", ".join(f"{what} {mib:.1f} MiB" for what, mib in memory.items())
              + f"; {whole:.1f} voluntary switches/s, of its threads: " + " ".join(f"{rate:.1f}" for rate in each))
    memory, rate, _ = measured["observer"]
    print(f"observer with {arguments.endpoints} endpoints: PSS {memory['Pss']:.1f} MiB (bar {_PSS_BAR_MIB:g}), "
          f"{rate:.1f} voluntary switches/s (bar {_SWITCHES_BAR:g})")
    return 0 if memory["Pss"] <= _PSS_BAR_MIB and rate <= _SWITCHES_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
