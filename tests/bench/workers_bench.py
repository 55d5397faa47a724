#!/usr/bin/python3
"""Two workers beside one: CPU per request on one core, how 64 connections spread, and requests/s where there are cores for it.

    workers_bench.py [--rate 20000] [--conns 64] [--seconds 4] [--rounds 5]

Two sidecars, one with one worker and one with two, both pinned to the core that proxy_bench.py gives its proxies, take the same
open loop of --rate requests/s (load_pair.c) in alternating rounds; CPU per request is of the whole process. Then --conns
connections are opened to the sidecar with two workers, and each worker's are counted: those of its epoll instance
(/proc/PID/fdinfo). What the workers share is measured by two of them on a core each, beside two sidecars with one worker on
the same cores: CPU per request of the former to the latter, default breaker and retries, half of --rate from each of two
loads. On 4 cores or more also, in alternating rounds, a closed loop from two loads on two cores against one worker with
one core and two workers with two. Ends with the bars: CPU per request at most 1.1x, 30 to 34 of 64 each, and on 4 cores
at least 1.8x the requests/s.
Takes 2 minutes. Needs: gcc, taskset; a user who may read /proc/PID/fdinfo of its own processes.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import statistics
import sys
import tempfile
import time

import proxy_bench
from idle_bench import ask, connect
from ringside_target import UPSTREAMS, Bench, pinned, settings

_OTHER_UPSTREAMS = [18011, 18012, 18013]  # of the second load
_CPU_BAR, _RATE_BAR = 1.1, 1.8
_FAIR = 2  # connections more or less than an even share


def drive(pair, sidecar, arguments, rate, seconds):
    """One load's figures, with the CPU per request of the sidecar."""
    before = proxy_bench.cpu_seconds([sidecar.pid])
    figures = proxy_bench.drive_pair(pair, f"127.0.0.1:{sidecar.outbound}", "bench",
                                     argparse.Namespace(conns=arguments.conns, close=False, rate=rate), seconds)
    figures["cpu_us"] = (proxy_bench.cpu_seconds([sidecar.pid]) - before) * 1e6 / figures["total"]
    if figures["bad"] or figures["sock"]:
        raise SystemExit(f"{sidecar.name}: {figures['bad']} bad answers {figures['sock']}")
    return figures


def compare(what, one, two, measure, rounds):
    """The median of the rounds' ratios of measure(two) to measure(one); who goes first alternates."""
    ratios = []
    for at in range(rounds):
        found = {name: measure(name) for name in ([one, two] if at % 2 == 0 else [two, one])}
        ratios.append(found[two] / found[one])
        print(f"round {at + 1}: {what}: {one} {found[one]:.2f}, {two} {found[two]:.2f}, {ratios[-1]:.3f}x", flush=True)
    return statistics.median(ratios)


def inodes_of(port):
    """Inodes of the established connections whose own end is this port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        lines = [line.split() for line in table.readlines()[1:]]
    return {fields[9] for fields in lines if int(fields[1].split(":")[1], 16) == port and fields[3] == "01"}


def spread(pid, port):
    """How many connections to this port each epoll instance of the process watches."""
    inodes, mine, counts = inodes_of(port), set(), []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        link = os.readlink(f"/proc/{pid}/fd/{fd}")
        found = re.fullmatch(r"socket:\[(\d+)\]", link)
        if found and found.group(1) in inodes:
            mine.add(int(fd))
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[eventpoll]":
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as info:
                watched = {int(target) for target in re.findall(r"tfd:\s+(\d+)", info.read())}
            counts.append(len(watched & mine))
    return sorted((count for count in counts if count), reverse=True)


def connections_of_each(sidecar, count):
    held = [connect(sidecar.outbound, number) for number in range(count)]
    for s in held:
        ask(s)
    time.sleep(0.2)
    shares = spread(sidecar.pid, sidecar.outbound)
    for s in held:
        s.close()
    return shares


def both_loads(loads, ports, arguments, rate, seconds):
    """The figures of the two loads, each at its port, at the same time."""
    each = argparse.Namespace(conns=arguments.conns // 2, close=False, rate=rate)
    with concurrent.futures.ThreadPoolExecutor(2) as drivers:
        return list(drivers.map(lambda load, port: proxy_bench.drive_pair(load, f"127.0.0.1:{port}", "bench", each, seconds), loads, ports))


def pin_workers(sidecar, cpus):
    """Its workers, found by their threads' names, to a core each."""
    for task in os.listdir(f"/proc/{sidecar.pid}/task"):
        with open(f"/proc/{sidecar.pid}/task/{task}/comm", encoding="ascii") as name:
            worker = re.fullmatch(r"worker-(\d+)\n", name.read())
        if worker:
            os.sched_setaffinity(int(task), {cpus[int(worker.group(1))]})


def sharing(bench, loads, upstreams, cpus, arguments):
    """CPU per request of two workers that share hosts and breakers to that of two that share nothing."""
    defaults = {"upstreams": {"bench": {"endpoints": upstreams, "balance": "least_connection"}}, "log": {"level": "warn"}}
    together = pinned(bench.sidecar("together", {**defaults, "proxy": {"workers": 2}}, started=False), f"{cpus[0]},{cpus[1]}")
    pin_workers(together, cpus)
    alone = [pinned(bench.sidecar(f"alone-{cpu}", {**defaults, "proxy": {"workers": 1}}, started=False), str(cpu)) for cpu in cpus[:2]]

    def cost(sidecars, seconds):
        pids = [sidecar.pid for sidecar in sidecars]
        before = proxy_bench.cpu_seconds(pids)
        figures = both_loads(loads, [sidecars[0].outbound, sidecars[-1].outbound], arguments, arguments.rate / 2, seconds)
        return (proxy_bench.cpu_seconds(pids) - before) * 1e6 / sum(f["total"] for f in figures)

    cost([together], 1), cost(alone, 1)  # warm-up
    return compare("us of CPU per request, a core each", "two alone", "together",
                   lambda what: cost([together] if what == "together" else alone, arguments.seconds), arguments.rounds)


def closed_loop(bench, loads, upstreams, cpus, arguments):
    """Requests/s of two workers on two cores to those of one on one, from two loads on two more."""
    one = pinned(bench.sidecar("one-core", settings(upstreams, 1), started=False), str(cpus[0]))
    two = pinned(bench.sidecar("two-cores", settings(upstreams, 2), started=False), f"{cpus[0]},{cpus[1]}")
    at = {"one worker": one, "two": two}
    return compare("requests/s, closed loop", *at, lambda what: sum(
        f["rps"] for f in both_loads(loads, [at[what].outbound] * 2, arguments, 0, arguments.seconds)), arguments.rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20000)
    parser.add_argument("--conns", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for need in ("gcc", "taskset"):
        if not shutil.which(need):
            sys.exit(f"missing: {need}")
    cpus = sorted(os.sched_getaffinity(0))
    tmp = tempfile.mkdtemp(prefix="workersbench.")
    load_cpus = cpus[2:4] if len(cpus) >= 4 else [proxy_bench.cpu_plan()[2], cpus[0]]
    loads = []
    try:
        loads.append(proxy_bench.start_pair(tmp, load_cpus[0], 100, proxy_bench.UPSTREAMS))
        with Bench() as bench:
            at = {"one worker": pinned(bench.sidecar("one", settings(UPSTREAMS, 1), started=False)),
                  "two": pinned(bench.sidecar("two", settings(UPSTREAMS, 2), started=False))}
            for sidecar in at.values():
                drive(loads[0], sidecar, arguments, arguments.rate, 1)  # warm-up
            cpu = compare(f"us of CPU per request at {arguments.rate:g}/s", *at,
                          lambda what: drive(loads[0], at[what], arguments, arguments.rate, arguments.seconds)["cpu_us"], arguments.rounds)
            shares = connections_of_each(at["two"], arguments.conns)
            fair = len(shares) == 2 and all(abs(share - arguments.conns / 2) <= _FAIR for share in shares)
            loads.append(proxy_bench.start_pair(tmp, load_cpus[1], 100, _OTHER_UPSTREAMS))
            upstreams = UPSTREAMS + [f"127.0.0.1:{port}" for port in _OTHER_UPSTREAMS]
            shared = sharing(bench, loads, upstreams, cpus, arguments)
            faster = closed_loop(bench, loads, upstreams, cpus, arguments) if len(cpus) >= 4 else None
    finally:
        for load in loads:
            load.terminate()
            load.wait()
        shutil.rmtree(tmp, ignore_errors=True)
    print(f"two workers to one: CPU per request {cpu:.3f}x (bar {_CPU_BAR}); of {arguments.conns} connections {' and '.join(map(str, shares))}; "
          f"on a core each {shared:.3f}x the CPU of two sidecars; "
          + (f"requests/s {faster:.2f}x (bar {_RATE_BAR})" if faster else f"requests/s not measured on {len(cpus)} cores"))
    return 0 if cpu <= _CPU_BAR and fair and (faster is None or faster >= _RATE_BAR) else 1


if __name__ == "__main__":
    sys.exit(main())
