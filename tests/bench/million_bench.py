#!/usr/bin/python3
"""One million znodes of 100 bytes on a ring of three: memory, restart, and what writes notice of a resync and of a snapshot.

    million_bench.py [--znodes 1000000] [--seconds 60] [--per-second 1000] [--no-peer]

The tree is filled through bench_ring (an observer that asks the leader; 200 znodes to a transaction). Then: all three killed and
started again, until each answers a synced read of the last znode; windows of --seconds with --per-second writes of
100 bytes (each timed from when it was due) until there was one in which no voter took a snapshot and one in which
some did; and one in which a follower's disk is wiped and it is synchronized anew. ZooKeeper 3.8 beside it holds the
same data: memory after a restart, what its heap keeps after a collection, and its restart.
Needs: zookeeper and default-jre-headless for the peer, gcc; about 3 GB of memory and 2 GB of disk (TMPDIR).
"""
import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from bench_peers import HERE, Voters, ZooKeeper, http_client, last_line, rss_mib, wait_until, words

_WINDOWS = 6  # of them one will be calm and one hold a snapshot


def memory(label, pids, empty, znodes):
    now = [rss_mib(pid) for pid in pids]
    each = statistics.median((mib - was) * 2**20 / znodes for mib, was in zip(now, empty))
    print(f"{label}: {' '.join(f'{mib:.0f}' for mib in now)} MiB, {each:.0f} bytes per znode over an empty one", flush=True)
    return each


def snapshots(bench):
    return [sorted(name for name in os.listdir(bench.data(sidecar)) if name.startswith("snap.")) for sidecar in bench.sidecars]


def answers(sidecar, path):
    with contextlib.suppress(OSError):
        return http_client.request(sidecar.admin, path=f"/v1/znode{path}?sync&timeout=1s", timeout=3).status == 200
    return False


def restart(bench, znodes):
    for sidecar in bench.sidecars:
        sidecar.kill()
    began = time.monotonic()
    for sidecar in bench.sidecars:
        sidecar.start()
    last = f"/million/{znodes - 1:07}"
    for sidecar in bench.sidecars:
        wait_until(lambda sidecar=sidecar: answers(sidecar, last), 120, f"{sidecar.name} serves the last znode", 0.02)
        print(f"all killed and started again: {sidecar.name} serves {time.monotonic() - began:.2f} s later", flush=True)
    return time.monotonic() - began


def window(bench, arguments, label, during=None):
    before = snapshots(bench)
    load = bench.load("open", per_second=arguments.per_second, seconds=arguments.seconds, bytes=100, under="/bench")
    said = during() if during else ""
    result = words(last_line(load))
    taken = sum(was != now for was, now in zip(before, snapshots(bench)))
    if label is None:
        label = f"{taken} snapshots taken" if taken else "calm"
    print(f"{label}: {result['ops']:.0f} writes, {result['failed']:.0f} failed, p50 {result['p50_ms']:.2f} ms, p99 {result['p99_ms']:.2f} ms, "
          f"p99.9 {result['p999_ms']:.2f} ms, longest {result['max_ms']:.2f} ms {said}", flush=True)
    return result["p999_ms"], taken


def resync(bench):
    """A follower loses its disk; gives what is to be said of it."""
    time.sleep(5)
    lost = bench.followers()[0]
    reached = lost.ring()["applied_zxid"]
    lost.kill()
    shutil.rmtree(bench.data(lost))
    began = time.monotonic()
    lost.start()
    wait_until(lambda: int((lost.try_(lost.ring) or {}).get("applied_zxid", "0x0"), 16) >= int(reached, 16), 180,
               f"{lost.name} holds what it held before", 0.05)
    return f"({lost.name} was synchronized in {time.monotonic() - began:.1f} s)"


def ringside(arguments):
    with Voters() as bench:
        empty = [rss_mib(sidecar.pid) for sidecar in bench.sidecars]
        print(last_line(bench.load("fill", count=arguments.znodes, bytes=100, under="/million")), flush=True)
        memory("memory after filling", [sidecar.pid for sidecar in bench.sidecars], empty, arguments.znodes)
        took = restart(bench, arguments.znodes)
        each = memory("memory after the restart", [sidecar.pid for sidecar in bench.sidecars], empty, arguments.znodes)
        calm, busy = None, None
        for _ in range(_WINDOWS):
            p999, taken = window(bench, arguments, None)
            if taken:
                busy = max(busy or 0, p999)
            else:
                calm = min(calm or p999, p999)
            if calm is not None and busy is not None:
                break
        lost, _ = window(bench, arguments, "a follower resynchronized", lambda: resync(bench))
        memory("memory at the end", [sidecar.pid for sidecar in bench.sidecars], empty, arguments.znodes)
        print(f"ringside: restart to serving {took:.2f} s; p99.9 calm {calm or float('nan'):.2f} ms, with a snapshot {(busy or float('nan')) - (calm or float('nan')):+.2f} ms, "
              f"with a resync {lost - (calm or float('nan')):+.2f} ms; {each:.0f} bytes per znode")
    return each


def zookeeper(arguments):
    with tempfile.TemporaryDirectory(prefix="ringside-bench-") as folder, ZooKeeper(folder, heap="2g") as ensemble:
        tool = os.path.join(folder, "zkload")
        subprocess.run(["gcc", "-O2", "-o", tool, os.path.join(HERE, "zkload.c")], check=True)
        empty = [rss_mib(pid) for pid in ensemble.pids()]
        subprocess.run([tool, "fill", "12", "64", "600", "100", ",".join(ensemble.hosts), str(arguments.znodes)], check=True)
        memory("zookeeper, memory after filling", ensemble.pids(), empty, arguments.znodes)
        for at in range(3):
            ensemble.kill(at)
        began = time.monotonic()
        for at in range(3):
            ensemble.start(at)

        def whole(at):
            count = re.search(r"zk_znode_count\s+(\d+)", ensemble.word(at, b"mntr"))
            return count and int(count.group(1)) >= arguments.znodes
        for at in range(3):
            wait_until(lambda at=at: whole(at), 180, "ZooKeeper serves all znodes", 0.05)
        took = time.monotonic() - began
        time.sleep(5)
        each = memory("zookeeper, memory after the restart", ensemble.pids(), empty, arguments.znodes)
        heaps = [ensemble.heap_after_gc_mib(at) for at in range(3)]
        print(f"zookeeper: restart to serving {took:.2f} s; {each:.0f} bytes per znode resident; heap after its last collection "
              f"{' '.join(f'{mib} MiB' if mib else 'none yet' for mib in heaps)}")
    return each


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--znodes", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--per-second", type=int, default=1000)
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    ours = ringside(arguments)
    if not arguments.no_peer:
        theirs = zookeeper(arguments)
        print(f"memory per znode: {ours / theirs:.2f}x ZooKeeper's")


if __name__ == "__main__":
    main()
