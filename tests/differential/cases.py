"""All cases of a run, by a seed: two thirds requests; of each kind some legal, every fault several times, and some with bytes changed at random."""
import random

import draw_requests
import draw_responses
from proxies import service

_LEGAL, _EDITED = 0.38, 0.12  # shares of each kind; the rest has faults
_REQUESTS = 0.66
_SLOW_CASES = 8

FAULTS = {*draw_requests.FAULTS, *(f"response.{fault}" for fault in draw_responses.FAULTS), "bytes", "response.bytes"}


def draw(count, seed, lanes):
    rng = random.Random(seed)
    kinds = [(draw_requests, int(count * _REQUESTS)), (draw_responses, count - int(count * _REQUESTS))]
    plans = []
    for module, size in kinds:
        plans += [(module.legal, ())] * int(size * _LEGAL) + [(module.edited, ())] * int(size * _EDITED)
        faults = [fault for fault in module.FAULTS if fault not in module.SLOW]
        wanted = [fault for fault in module.SLOW for _ in range(min(_SLOW_CASES, size // 100))]
        left = size - int(size * _LEGAL) - int(size * _EDITED) - len(wanted)
        wanted += [faults[i % len(faults)] for i in range(left)]
        plans += [(module.faulty, (fault,)) for fault in wanted]
    rng.shuffle(plans)
    return [make(random.Random(f"{seed}/{number}"), number, number % lanes, service(number % lanes).encode(), *more)
            for number, (make, more) in enumerate(plans)]
