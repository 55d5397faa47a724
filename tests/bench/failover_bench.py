#!/usr/bin/python3
"""Longest pause between two acknowledged writes through a follower when the leader is lost, beside ZooKeeper 3.8.

    failover_bench.py [--how kill,freeze,stop] [--runs 10] [--peer-runs 10] [--no-peer]

kill is SIGKILL, freeze SIGSTOP, stop SIGTERM of the leader, all with default timeouts. Ringside is written to by
`PUT /v1/znode/...` at one follower's admin port, four writers at once, each trying again as soon as it has an answer;
ZooKeeper by a raw session at a follower that moves to the next one as soon as it fails. Rounds alternate; the lost
one is started again and has joined before the next. Needs: zookeeper and default-jre-headless for the peer.
"""
import argparse
import contextlib
import os
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time

from bench_peers import Voters, ZooKeeper, wait_until

_SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "stop": signal.SIGTERM}
_BEFORE = 1.0
_AFTER = {"ringside": {"kill": 3.0, "freeze": 5.0, "stop": 3.0}, "zookeeper": {"kill": 6.0, "freeze": 25.0, "stop": 6.0}}


class HttpWriter:
    """PUTs to one znode through one admin port."""

    def __init__(self, port):
        self.port = port
        body = b"x" * 100
        self.request = (b"PUT /v1/znode/bench/pause?parents HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                        b"content-length: %d\r\n\r\n" % len(body)) + body

    def write(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.settimeout(5)
                s.sendall(self.request)
                return s.recv(64).startswith(b"HTTP/1.1 20")
        except OSError:
            return False


class SessionWriter:
    """One raw session of ZooKeeper's protocol that writes one znode, moving on as soon as a server fails."""

    def __init__(self, hosts):
        self.hosts, self.at, self.sock, self.xid = hosts, 0, None, 1

    def dial(self):
        host, port = self.hosts[self.at % len(self.hosts)].rsplit(":", 1)
        s = socket.create_connection((host, int(port)), 0.2)
        s.settimeout(0.5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = s
        self.send(struct.pack(">iqiqi16sb", 0, 0, 30000, 0, 16, b"\0" * 16, 0))
        self.recv()

    def send(self, payload):
        self.sock.sendall(struct.pack(">i", len(payload)) + payload)

    def recv(self):
        return self.exactly(struct.unpack(">i", self.exactly(4))[0])

    def exactly(self, count):
        out = b""
        while len(out) < count:
            chunk = self.sock.recv(count - len(out))
            if not chunk:
                raise OSError("closed")
            out += chunk
        return out

    def call(self, kind, body):
        self.xid += 1
        self.send(struct.pack(">ii", self.xid, kind) + body)
        while True:
            xid, _, error = struct.unpack(">iqi", self.recv()[:16])
            if xid == self.xid:
                return error

    def write(self):
        try:
            if self.sock is None:
                self.dial()
                acl = struct.pack(">ii", 1, 31) + struct.pack(">i5si6s", 5, b"world", 6, b"anyone")
                error = self.call(1, struct.pack(">i4si", 4, b"/gap", 0) + acl + struct.pack(">i", 0))
                if error not in (0, -110):
                    raise OSError(f"create {error}")
            error = self.call(5, struct.pack(">i4si1si", 4, b"/gap", 1, b"x", -1))
            if error:
                raise OSError(f"set {error}")
            return True
        except (OSError, struct.error):
            self.close()
            self.at += 1
            time.sleep(0.002)
            return False

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None


def longest_pause(writers, strike, seconds):
    """Writes all the time and strikes after a while; the longest pause in ms that ended after the strike, and how many writes failed."""
    acknowledged, failed, over = [], [], threading.Event()

    def run(writer):
        while not over.is_set():
            done = writer.write()
            (acknowledged if done else failed).append(time.monotonic())
    threads = [threading.Thread(target=run, args=(writer,), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    time.sleep(_BEFORE)
    struck = time.monotonic()
    strike()
    time.sleep(seconds)
    end = time.monotonic()
    over.set()
    for thread in threads:
        thread.join()
    times = sorted(at for at in acknowledged if at <= end)
    pause = max((b - a for a, b in zip(times, times[1:]) if b > struck), default=float("inf"))
    if not times or end - times[-1] > pause:
        pause = float("inf")
    return pause * 1e3, len(failed)


def ringside(bench, how):
    leader, follower = bench.leader(), bench.followers()[0]
    result = longest_pause([HttpWriter(follower.admin) for _ in range(4)], lambda: leader.process.signal(_SIGNALS[how]),
                           _AFTER["ringside"][how])
    if how == "freeze":
        leader.process.signal(signal.SIGCONT)
    else:
        leader.kill()  # long ended; reaped
        leader.start()
    for sidecar in bench.sidecars:
        sidecar.wait_ready()
        wait_until(lambda sidecar=sidecar: (sidecar.try_(sidecar.ring) or {}).get("role") in ("leading", "following"), 20, f"{sidecar.name} is back")
    time.sleep(1.5)  # links have stood for a while again
    return result


def zookeeper(ensemble, how):
    leader = ensemble.wait_leader()
    writer = SessionWriter([host for at, host in enumerate(ensemble.hosts) if at != leader])
    result = longest_pause([writer], lambda: os.kill(ensemble.processes[leader].pid, _SIGNALS[how]), _AFTER["zookeeper"][how])
    writer.close()
    if how == "freeze":
        os.kill(ensemble.processes[leader].pid, signal.SIGCONT)
    else:
        ensemble.kill(leader)
        ensemble.start(leader)
    wait_until(lambda: all(ensemble.mode(at) in ("leader", "follower") for at in range(3)), 60, "ZooKeeper is whole again")
    time.sleep(1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", default="kill,freeze,stop")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--peer-runs", type=int, default=10)
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        targets = [("ringside", ringside, stack.enter_context(Voters()), arguments.runs)]
        if not arguments.no_peer:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ringside-bench-"))
            targets.append(("zookeeper", zookeeper, stack.enter_context(ZooKeeper(folder)), arguments.peer_runs))
        pauses = {}
        for run in range(max(target[3] for target in targets)):
            for how in arguments.how.split(","):
                for name, measure, target, runs in targets:
                    if run < runs:
                        pause, failed = measure(target, how)
                        pauses.setdefault((how, name), []).append(pause)
                        print(f"run {run + 1}: {how} of the leader, {name}: longest pause {pause:.1f} ms, {failed} writes failed", flush=True)
        for (how, name), all_of_them in pauses.items():
            print(f"{how} of the leader, {name}: median {statistics.median(all_of_them):.1f} ms, worst {max(all_of_them):.1f} ms of {len(all_of_them)} runs")


if __name__ == "__main__":
    main()
