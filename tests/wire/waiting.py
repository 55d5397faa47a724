"""What the scripts of limits share: calls that wait, whatever connection the next request comes by, memory."""
import os
import selectors
import time

from wire import LIMIT, Mismatch, check


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n"


def until(proxy, *words):
    """Waits until `stats` has all words."""
    end = time.monotonic() + LIMIT
    while True:
        stats = proxy.ask("stats")
        seen = sums(stats)
        if all(seen.get(word.split("=")[0], 0) == int(word.split("=")[1]) for word in words):
            return
        check(time.monotonic() < end, f"no {words} in {stats}")
        time.sleep(0.005)


def sums(stats):
    """Each counter, summed over the workers."""
    found = {}
    for word in stats.split():
        name, value = word.rsplit("=", 1)
        found[name] = found.get(name, 0) + int(value)
    return found


def overflow(caller):
    head = caller.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="overflow")
    return caller.read(int(head.get("content-length"))).decode()


def answered(caller):
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")


def next_request(*apps):
    """Whichever connection of these upstreams a request comes by next, an old one or a new one: (its wire, the head)."""
    with selectors.DefaultSelector() as chosen:
        for app in apps:
            chosen.register(app.listener, selectors.EVENT_READ, app)
            for wire in app.wires:
                if not wire.ended:
                    chosen.register(wire.sock, selectors.EVENT_READ, wire)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            for key, _ in chosen.select(LIMIT):
                if key.fileobj in [app.listener for app in apps]:
                    wire = key.data.accept()
                    chosen.register(wire.sock, selectors.EVENT_READ, wire)
                elif key.data._fill():
                    return key.data, key.data.head()
                else:
                    chosen.unregister(key.fileobj)
    raise Mismatch("no request came")


def rss(proxy):
    with open(f"/proc/{proxy.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
