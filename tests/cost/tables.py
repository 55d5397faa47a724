"""What the registry costs the control loop, by turn: a change of it, from the note of what a transaction touched to the new table, published; and reading all of it.

Counted of cost_table, which is its control loop and nothing else: 10 times an instance of one service gives way to another one; or what a
sidecar does that starts.
"""
import dataclasses
import json
import os
import subprocess
import tempfile
import time

import callgrind
from counted import TUNABLES
from counting import Count

_CHANGES = 10


@dataclasses.dataclass(frozen=True)
class TableCase:
    name: str
    what: str
    services: int = 1
    endpoints: int = 10
    counts: str = "change"  # or slice: the turns of a whole reading, but the one that makes the table
    callers: int = 1  # what the rules ask of a Case
    close: bool = False
    swap_every: int = 0
    grows: bool = False  # beside an exchange it is nothing


TABLES = [
    TableCase("table", "an instance gives way to another one: the control loop's part, 1 service of 10 endpoints"),
    TableCase("table_1000", "the same, 1,000 services of 10 endpoints", services=1000),
    TableCase("table_10000", "the same, one service of 10,000 endpoints", endpoints=10_000),
    TableCase("read_1000", "the registry is read as a whole, 1,000 services of 10 endpoints: a turn's slice of it", services=1000, counts="slice"),
    TableCase("read_10000", "the same, one service of 10,000 endpoints", endpoints=10_000, counts="slice"),
]


def count_table(program, case):
    """`program`: cost_table, or cost_proxy beside which it stands."""
    began = time.monotonic()
    program = os.path.join(os.path.dirname(os.path.abspath(program)), "cost_table")
    with tempfile.TemporaryDirectory(prefix="ringside-cost-") as folder:
        command = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--compress-strings=no",
                   "--compress-pos=no", f"--callgrind-out-file={folder}/profile", program,
                   "--services", str(case.services), "--endpoints", str(case.endpoints), "--changes", str(_CHANGES),
                   "--count", case.counts]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                              env={**os.environ, "GLIBC_TUNABLES": TUNABLES})
        if done.returncode != 0:
            raise RuntimeError(f"cost_table ended with {done.returncode}: {done.stderr}")
        profile = callgrind.Profile(f"{folder}/profile")
    said = json.loads(done.stdout)
    built = f"{said['built']}, {os.confstr('CS_GNU_LIBC_VERSION')}"
    return Count(case, built, profile.instructions / said["turns"], 0, 0, 0, profile, time.monotonic() - began)
