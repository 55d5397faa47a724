#!/usr/bin/python3
"""What an idle client connection costs in memory: Ringside beside HAProxy and nginx in one run.

    idle_bench.py [--connections 10000] [--idle 8] [--rounds 1] [--haproxy BINARY]

Each proxy is started anew (one worker, the same duties as in proxy_bench.py), answers some requests, then gets so many client
connections at once, in two cases: `used`, each made one request and is kept alive; `silent`, none has sent anything. --idle
seconds after the last one the growth of the proxy's PSS (all its processes), divided by the connections, is its bytes per
connection; --idle must be over the 5 s after which Ringside gives an idle connection's buffers back. What the kernel
keeps for a socket is the same for all and not counted. Then one more request goes over each connection of `used`, so
that a proxy that had closed some shows. Prints a line per proxy and case with its ratio to HAProxy; the last line has the
bar: Ringside <= HAProxy in both cases.
Takes 1.5 minutes a round. Needs: haproxy, nginx, gcc, taskset, and 12,500 descriptors (raised here as far as allowed).
"""
import argparse
import re
import resource
import shutil
import socket
import statistics
import struct
import sys
import tempfile
import time

import proxy_bench
from ringside_target import UPSTREAMS, Bench, pinned, settings

_WARM_REQUESTS = 200
_PER_SOURCE = 20000  # connections from one address to one port: below the kernel's range
_BIND_ADDRESS_NO_PORT = 24
_LEAST_IDLE = 6.0


def allow_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError):
        sys.exit(f"needs {wanted} descriptors, and {hard} are allowed: raise ulimit -Hn")


def connect(port, number):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset at the end leaves no TIME_WAIT
    s.settimeout(10)
    s.bind((f"127.0.0.{2 + number // _PER_SOURCE}", 0))
    s.connect(("127.0.0.1", port))
    return s


def ask(s):
    """One request and its whole answer."""
    s.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
    got = b""
    while b"\r\n\r\n" not in got:
        piece = s.recv(65536)
        if not piece:
            raise SystemExit(f"a connection was closed: {got[:200]!r}")
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
    while len(body) < length:
        body += s.recv(65536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"not a good answer: {head[:200]!r}")


def pss_bytes(pids):
    total = 0
    for pid in proxy_bench.family(pids):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += int(re.search(r"^Pss:\s+(\d+) kB", rollup.read(), re.M).group(1))
    return total * 1024


def warm(port):
    for number in range(_WARM_REQUESTS):
        with connect(port, number) as s:
            ask(s)
    time.sleep(1)


def per_connection(port, pids, count, idle, used):
    """Bytes that the proxy grew by, per connection."""
    warm(port)
    before, held = pss_bytes(pids), []
    try:
        for number in range(count):
            held.append(connect(port, number))
            if used:
                ask(held[-1])
        time.sleep(idle)
        grown = pss_bytes(pids) - before
        if used:
            for s in held:
                ask(s)
        return grown / count
    finally:
        for s in held:
            s.close()


def one_case(arguments, used):
    """{proxy: bytes per connection}, each of them in a process of its own."""
    tmp = tempfile.mkdtemp(prefix="idlebench.")
    pair, peers = proxy_bench.start(tmp, argparse.Namespace(size=100, haproxy=arguments.haproxy, hops=1), "pair")
    processes = [pair] + [process for group in peers.values() for process in group]
    try:
        with Bench() as bench:
            sidecar = pinned(bench.sidecar("ringside", settings(UPSTREAMS, 1), started=False))
            targets = {"haproxy": (proxy_bench.PORTS["haproxy"], [peers["haproxy"][0].pid]),
                       "nginx": (proxy_bench.PORTS["nginx"], [peers["nginx"][0].pid]),
                       "ringside": (sidecar.outbound, [sidecar.pid])}
            return {name: per_connection(port, pids, arguments.connections, arguments.idle, used) for name, (port, pids) in targets.items()}
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(tmp, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--idle", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--haproxy", default="haproxy")
    arguments = parser.parse_args()
    if arguments.idle < _LEAST_IDLE:
        parser.error(f"--idle: at least {_LEAST_IDLE:g} s")
    for need in ("nginx", arguments.haproxy, "gcc", "taskset"):
        if not shutil.which(need):
            sys.exit(f"missing: {need}")
    proxy_bench.PROXY_CONNECTIONS = arguments.connections * 5 // 4  # nginx closes idle ones when it has less than a sixteenth left
    allow_descriptors(proxy_bench.PROXY_CONNECTIONS)
    ratios = {}
    for _ in range(arguments.rounds):
        for case in ("used", "silent"):
            found = one_case(arguments, case == "used")
            for name, each in found.items():
                print(f"{case:7} {name:9} {each:7.0f} bytes per connection, {each / found['haproxy']:.2f}x haproxy", flush=True)
            ratios.setdefault(case, []).append(found["ringside"] / found["haproxy"])
    medians = {case: statistics.median(values) for case, values in ratios.items()}
    print(f"{arguments.connections} idle connections, Ringside to HAProxy: " + ", ".join(f"{case} {value:.2f}x" for case, value in medians.items())
          + " (bar 1)")
    return 0 if max(medians.values()) <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
