"""Ringside as a target beside the peers of proxy_bench.py: the service `bench`, whose endpoints are fixed, pinned to a core."""
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(_HERE), "support"))

import proxy_bench  # noqa: E402
from ringside_testing.ring import Bench  # noqa: E402

UPSTREAMS = [f"127.0.0.1:{port}" for port in proxy_bench.UPSTREAMS]


def pinned(sidecar, cpus=None):
    """Starts it on these cores (default: the proxy's)."""
    sidecar.process.command[:0] = ["taskset", "-c", str(proxy_bench.cpu_plan()[0]) if cpus is None else cpus]
    return sidecar.start().wait_ready()


def settings(endpoints, workers):
    # No breaker and no retry: a figure must not look better because answers were made up for.
    return {"upstreams": {"bench": {"endpoints": endpoints, "balance": "least_connection", "retry": {"attempts": 0},
                                    "circuit_breaker": {"consecutive_failures": 0, "failure_ratio": 0}}},
            "proxy": {"workers": workers}, "log": {"level": "warn"}}


__all__ = ["UPSTREAMS", "Bench", "pinned", "settings"]
