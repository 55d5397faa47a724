"""Streams of gigabytes whose every byte is known by its place: made and compared at memory's speed."""
import random

# A block of prime length, twice over: whatever place a piece begins at, it stands there in one run.
_PERIOD = 1_048_573
_PIECE = 1 << 18
_BLOCK = random.Random(5).randbytes(_PERIOD)
_TWICE = memoryview(_BLOCK + _BLOCK)


def give(connection, length):
    at = 0
    while at < length:
        size = min(_PIECE, length - at)
        connection.sendall(_TWICE[at % _PERIOD:at % _PERIOD + size])
        at += size


def take(receive, length):
    """Reads `length` bytes by receive(most) and compares each; gives how many came, fewer when the stream ended early."""
    at = 0
    while at < length:
        piece = receive(min(_PIECE, length - at))
        if not piece:
            break
        if piece != _TWICE[at % _PERIOD:at % _PERIOD + len(piece)]:
            raise AssertionError(f"other bytes than were sent within {len(piece)} from {at}")
        at += len(piece)
    return at
