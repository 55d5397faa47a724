"""Counts one case: instructions of the worker's thread per exchange, system calls per exchange, and what a second costs beside."""
import dataclasses
import os
import resource
import time

import exchanges
from counted import CountedProxy

# What the worker does once a second whatever the load is spread over so many exchanges; also 10 swaps a second are one every 1,000.
EXCHANGES_PER_SECOND = 10_000
_SWEEP = "ringside::proxy::Pools::sweep()"
_SWEEP_SEEN_SECONDS = 1.2


@dataclasses.dataclass
class Count:
    case: object
    built: str              # by which compiler, for which processor, with which C library
    instructions: float     # per exchange, the share of the sweep included
    system_calls: float     # per exchange, without looking at the clock
    connections: int        # opened while counting
    sweep: float            # instructions of one sweep of the pools
    profile: object
    took: float


def allow_descriptors(wanted):
    """For this process and the proxy that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < wanted:
        raise RuntimeError(f"needs {wanted} descriptors and may have {most}: raise ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def count(program, case):
    began = time.monotonic()
    allow_descriptors(case.services * case.endpoints + 200)
    listener = exchanges.Listener()
    options = ["--services", str(case.services), "--endpoints", str(case.endpoints), *case.options]
    with listener.socket, CountedProxy(program, listener.port, options) as proxy:
        sides = exchanges.Exchanges(listener, proxy.said["inbound" if case.inbound else "outbound"], case.answer, case.callers, case.close)
        proxy.ask("turns")
        sides.run(case.services * case.endpoints, case.request_of)
        proxy.ask("usual")
        sides.run(max(case.services, 2 * case.callers), case.request_of)
        before = sides.opened
        proxy.ask("count")
        counting = time.monotonic()
        for first in range(0, case.count, case.swap_every or case.count):
            if case.swap_every:
                proxy.ask("swap")
            sides.run(case.swap_every or case.count, lambda k, first=first: case.request_of(first + k))
        time.sleep(max(0.05, _SWEEP_SEEN_SECONDS - (time.monotonic() - counting)))
        proxy.ask("done")
        worker = proxy.end()
        opened = sides.opened - before
        sides.close()
    swept, sweeps = worker.below[_SWEEP], worker.calls[_SWEEP]
    sweep = swept / max(1, sweeps)
    built = f"{proxy.said['built']}, {os.confstr('CS_GNU_LIBC_VERSION')}"
    instructions = (worker.instructions - swept) / case.count + sweep / EXCHANGES_PER_SECOND
    return Count(case, built, instructions, worker.system_calls / case.count, opened, sweep, worker,
                 time.monotonic() - began)
