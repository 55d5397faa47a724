#!/usr/bin/python3
"""Committed writes per second of a ring of three, through a follower's driver, beside what the disk itself gives.

    writes_bench.py [--in-flight 1,512] [--rounds 3] [--seconds 10] [--bytes 100]

Two voters are the real binary, the third is in bench_ring: the production member (driver, links, disk) without HTTP in
between, so that 512 writes can be under way. It hands over if it leads. The disk's own figures are taken in the same
round, before and after, in the same folder (TMPDIR chooses the file system): write + fdatasync of one record at a
time into allocated blocks, and appending with an fdatasync each 64 MiB.
"""
import argparse
import statistics
import subprocess

from bench_peers import Voters, cpu_seconds, last_line, load_tool, words

_RECORD_OVERHEAD = 100  # bytes of a log record and its transaction beside the data, about


def disk(folder, record, seconds):
    out = subprocess.run([load_tool(), "disk", f"dir={folder}", f"bytes={record}", f"seconds={seconds}"], capture_output=True, text=True,
                         check=True).stdout
    return words(out)


def one_round(bench, third, case, arguments):
    record = arguments.bytes + _RECORD_OVERHEAD
    before = disk(bench.folder, record, 2)
    # The load is the third voter: its address is the one that the others know it by.
    load = bench.load("closed", listen=f"127.0.0.1:{bench.ring_ports[2]}", dir=third, in_flight=case, seconds=arguments.seconds,
                      bytes=arguments.bytes, under=f"/bench-{case}")
    cpu = [cpu_seconds(sidecar.pid) for sidecar in bench.sidecars[:2]]
    result = words(last_line(load))
    cpu = [cpu_seconds(sidecar.pid) - was for sidecar, was in zip(bench.sidecars[:2], cpu)]
    after = disk(bench.folder, record, 2)
    floor = {key: (before[key] + after[key]) / 2 for key in ("per_second", "p50_ms", "append_mib_per_second")}
    return result, floor, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", default="1,512")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--bytes", type=int, default=100)
    arguments = parser.parse_args()
    with Voters() as bench:
        third = bench.data(bench.sidecars[2])
        bench.sidecars[2].stop()
        rows = {}
        for _ in range(arguments.rounds):
            for case in arguments.in_flight.split(","):
                result, floor, cpu = one_round(bench, third, case, arguments)
                rows.setdefault(case, []).append((result, floor))
                print(f"in flight {case}: {result['per_second']:.0f} writes/s through a {result['through']} voter, p50 {result['p50_ms']:.3f} ms, "
                      f"p99 {result['p99_ms']:.3f} ms, failed {result['failed']:.0f}; the disk: {floor['per_second']:.0f} fdatasync/s "
                      f"(p50 {floor['p50_ms']:.3f} ms), appends {floor['append_mib_per_second']:.0f} MiB/s; CPU of the other two: "
                      f"{' '.join(f'{seconds:.1f} s' for seconds in cpu)}", flush=True)
        for case, pairs in rows.items():
            ratio = statistics.median(result["per_second"] / floor["per_second"] for result, floor in pairs)
            written = statistics.median(result["per_second"] * (arguments.bytes + _RECORD_OVERHEAD) / 2**20 for result, _ in pairs)
            print(f"in flight {case}, median of {len(pairs)}: {statistics.median(result['per_second'] for result, _ in pairs):.0f} writes/s, "
                  f"{ratio:.2f}x the disk's fdatasync rate; {written:.1f} MiB/s of log")


if __name__ == "__main__":
    main()
