"""What is done to an IsolatedRing: each fault acts for some seconds, drawn from `draw`, and says what it did.

IsolatedRing.heal takes it back. Damage to a disk is done to a minority of the voters, while those are down; whoever calls
waits until the ring is whole before the next.
"""
import os
import time


def _minority(ring, draw):
    most = (ring.voter_count - 1) // 2
    return draw.sample(ring.voters, draw.randint(1, most))


def _one(ring, draw):
    """The leader as often as another member."""
    leader = ring.leader()
    return leader if leader and draw.random() < 0.5 else draw.choice(ring.members)


def _for_a_while(draw, least=1.0, most=3.0):
    time.sleep(draw.uniform(least, most))


def kill(ring, draw):
    """kill -9 of some, started again while the rest goes on."""
    victims = {_one(ring, draw), *draw.sample(ring.members, draw.randint(0, 2))}
    for member in victims:
        member.kill()
    _for_a_while(draw, 0.2, 2.0)
    return f"kill -9 of {sorted(map(str, victims))}"


def power_loss(ring, draw):
    for member in ring.members:
        member.kill()
    _for_a_while(draw, 0.1, 0.5)
    return "kill -9 of all"


def freeze(ring, draw):
    victim = _one(ring, draw)
    victim.freeze()
    _for_a_while(draw, 0.3, 3.0)
    return f"SIGSTOP of {victim}"


def partition(ring, draw):
    """Two sides that do not hear each other."""
    side = draw.sample(range(len(ring.members)), draw.randint(1, len(ring.members) // 2))
    leader = ring.leader()
    if leader and draw.random() < 0.5 and leader.at not in side:
        side[0] = leader.at
    for one in side:
        for other in set(range(len(ring.members))) - set(side):
            ring.network.cut(one, other)
            ring.network.cut(other, one)
    _for_a_while(draw, 1.5, 3.5)
    return f"partition: {sorted(str(ring.members[at]) for at in side)} from the rest"


def one_way(ring, draw):
    """One member is not heard, or does not hear, by some of the others."""
    victim, mute = _one(ring, draw), draw.random() < 0.5
    others = [member for member in ring.members if member is not victim]
    others = draw.sample(others, draw.randint(1, len(others)))
    for other in others:
        ring.network.cut(*((victim.at, other.at) if mute else (other.at, victim.at)))
    _for_a_while(draw, 1.5, 3.5)
    return f"one way: {victim} {'is not heard by' if mute else 'does not hear'} {sorted(map(str, others))}"


def flap(ring, draw):
    victim, times = _one(ring, draw), draw.randint(4, 8)
    for _ in range(times):
        ring.network.link(victim.at, False)
        _for_a_while(draw, 0.05, 0.6)
        ring.network.link(victim.at, True)
        _for_a_while(draw, 0.05, 0.4)
    return f"the link of {victim} down and up {times} times"


def full_disk(ring, draw):
    """Not a byte is left but what was set aside."""
    victims = _minority(ring, draw)
    for member in victims:
        member.fill_disk()
    _for_a_while(draw, 2.0, 4.0)
    return f"full disk of {sorted(map(str, victims))}"


def _down(ring, draw):
    victims = _minority(ring, draw)
    for member in victims:
        member.kill()
    return victims


def wipe(ring, draw):
    victims = _down(ring, draw)
    for member in victims:
        member.wipe_disk()
    _for_a_while(draw, 0.2, 1.0)
    return f"wiped disk of {sorted(map(str, victims))}"


def _written(path):
    """Bytes of a file up to the last that is not zero: behind it are blocks prepared ahead."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


def _log(member, draw):
    """A log segment that holds something."""
    logs = [path for path in member.files("log.") if _written(path)]
    return draw.choice(logs) if logs else None


def truncate(ring, draw):
    victims, told = _down(ring, draw), []
    for member in victims:
        path = _log(member, draw)
        if path:
            size = _written(path)
            os.truncate(path, draw.randrange(size))
            told.append(f"{member}'s {os.path.basename(path)} to {os.path.getsize(path)} of {size} bytes")
    return "truncated: " + ", ".join(told)


def flip(ring, draw):
    victims, told = _down(ring, draw), []
    for member in victims:
        path = _log(member, draw)
        if path:
            size, flips = _written(path), draw.randint(1, 4)
            with open(path, "r+b") as file:
                for at in (draw.randrange(size) for _ in range(flips)):
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ (1 << draw.randrange(8))]))
            told.append(f"{flips} in {member}'s {os.path.basename(path)} of {size} bytes")
    return "bits flipped: " + ", ".join(told)


ALL = (kill, power_loss, freeze, partition, one_way, flap, full_disk, wipe, truncate, flip)
