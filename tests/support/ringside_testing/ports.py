"""Free TCP ports on loopback.

Ports below the kernel's range for outgoing connections, so that no client socket of a running test takes one between the
moment it was found free and the moment a process listens on it.
"""
import random
import socket

_LOW, _HIGH = 20000, 32000
_given = set()
_draw = random.Random()


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """`count` ports that nobody listens on and that this process has not handed out before."""
    ports = []
    for _ in range(10000):
        if len(ports) == count:
            return ports
        port = _draw.randrange(_LOW, _HIGH)
        if port not in _given and is_free(port):
            _given.add(port)
            ports.append(port)
    raise RuntimeError(f"found no {count} free ports between {_LOW} and {_HIGH}")


def free_port():
    return free_ports(1)[0]
