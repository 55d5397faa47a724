"""What holds of a count: None, or what is wrong and what to do."""

RECORDED_WITHIN = 0.03
# Several callers: how many of them are ready in a turn depends on the machine as well. One that connects each time: whether its request is
# there when the proxy accepts.
LOOSELY_WITHIN = 0.10
GROWS_WITHIN = 0.05
TURN_MOST = 6_000_000  # half a millisecond here: no turn of the control loop over 5 ms, on a slow machine either
_HOW = "tests/cost/run --record"


def unrecorded(built):
    return f"nothing is recorded for a build by {built}: on a tree whose cost is known to be right, {_HOW}"


def against_record(count, section):
    name = count.case.name
    within = LOOSELY_WITHIN if count.case.callers > 1 or count.case.close else RECORDED_WITHIN
    if name not in section:
        return f"{name}: not recorded yet: {_HOW} {name}"
    for what, now, then in zip(("instructions", "system calls"), (count.instructions, count.system_calls), section[name]):
        change = now / then - 1 if then else now
        if change > within:
            return (f"{name}: {now:,.2f} {what} each, {change:+.1%} from what is recorded ({then:,}); `tests/cost/run --annotate {name}` "
                    f"says where; if it is worth it, {_HOW} {name}")
        if change < -within:
            return f"{name}: {now:,.2f} {what} each, {change:+.1%} from what is recorded ({then:,}): so that it stays so, {_HOW} {name}"
    return None


def growth(count, smallest):
    change = count.instructions / smallest - 1
    if change > GROWS_WITHIN:
        return f"{count.case.name}: {count.instructions:,.0f} instructions per exchange, {change:+.1%} from the smallest table ({smallest:,.0f})"
    return None


def turn(count):
    if count.instructions > TURN_MOST:
        return f"{count.case.name}: {count.instructions:,.0f} instructions in a turn of the control loop, more than {TURN_MOST:,}"
    return None
