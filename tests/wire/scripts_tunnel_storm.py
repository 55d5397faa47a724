"""Many tunnels at once whose ends behave badly, by a seed: what comes back is what was sent, as far
as it comes, and nothing is left behind."""
import contextlib
import random
import socket
import threading
import time

from wire import check

SECONDS = 2.0
CALLERS = 16
RESET = b"\1\0\0\0\0\0\0\0"


def _reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def _read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError("no head")
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return head, rest


def _echo(sock, mood):
    """An app: gives bytes back, until the end or until it has enough."""
    what = mood.random()
    if what < 0.05:
        return _reset(sock)
    data = sock.recv(65536)
    if data.startswith((b"GET ", b"POST ")):
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        head, data = data.split(b"\r\n\r\n", 1)
        while len(data) < (4 if head.startswith(b"POST ") else 0):
            data += sock.recv(65536)
        if what < 0.15:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return sock.close()
        if what < 0.2:
            return sock.close()
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        data = data[4 if head.startswith(b"POST ") else 0:] or sock.recv(65536)
    enough = mood.choice([1 << 30, 1 << 30, 1 << 30, 5000, 100_000])
    while data and enough > 0:
        if mood.random() < 0.02:
            time.sleep(0.01)
        sock.sendall(data)
        enough -= len(data)
        data = sock.recv(mood.choice([100, 65536]))
    if enough <= 0 and mood.random() < 0.5:
        return _reset(sock)
    if mood.random() < 0.9:
        sock.shutdown(socket.SHUT_WR)
    return sock.close()


def _apps(listener, seed, stop):
    rng = random.Random(seed)

    def serve(sock, mood):
        sock.settimeout(3)
        with contextlib.suppress(OSError):
            _echo(sock, mood)
        sock.close()

    listener.settimeout(0.1)
    threads = []
    while not stop.is_set():
        with contextlib.suppress(socket.timeout):
            sock, _ = listener.accept()
            threads.append(threading.Thread(target=serve, args=(sock, random.Random(rng.random()))))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _open(ports, rng):
    """A connection on which a tunnel was asked for, and what has come of it already; None without one."""
    kind = rng.choice(["raw", "connect", "upgrade", "body"])
    sock = socket.create_connection(
        ("127.0.0.1", ports["fixed"]["shop"] if kind == "raw" else ports["outbound"]), timeout=5)
    if kind == "raw":
        return sock, b""
    asked = {"connect": b"CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n",
             "upgrade": b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
             "body": b"POST / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: echo\r\n"
                     b"Content-Length: 4\r\n\r\nbody"}[kind]
    sock.sendall(asked)
    head, rest = _read_head(sock)
    if head.split(b" ")[1] in ((b"200",) if kind == "connect" else (b"101",)):
        return sock, rest
    sock.close()
    return None, b""


def _session(ports, rng, counts):
    sock, got = _open(ports, rng)
    if sock is None:
        counts["refused"] += 1
        return
    with sock:
        sent = rng.randbytes(rng.choice([1, 300, 70_000, 700_000]))
        end = rng.random()

        def send():
            with contextlib.suppress(OSError):
                sock.sendall(sent)
                if end < 0.9:
                    sock.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        broken = False
        try:
            while True:
                if end >= 0.95 and len(got) > len(sent) // 2:
                    _reset(sock)
                    break
                data = sock.recv(65536)
                if not data:
                    break
                got += data
                if end >= 0.9 and len(got) >= len(sent):
                    break
        except OSError:
            broken = True
        finally:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sender.join()
        if not sent.startswith(got):
            raise AssertionError(f"{len(got)} bytes that were never sent")
        counts["broken" if broken else "whole" if got == sent else "part"] += 1


def _storm(s, seed, *options):
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}", *options)
    endpoints = ["--endpoint", f"shop={app.address}/{inbound.ports['inbound']}", "--endpoint",
                 f"shop=127.0.0.2:{app.port}"]  # one through its sidecar, one straight (and dead)
    proxy = s.proxy(*endpoints, "--tcp", "shop=0", "--no-breaker", "--balance", "round_robin", *options)
    stop = threading.Event()
    apps = threading.Thread(target=_apps, args=(app.listener, seed, stop))
    apps.start()
    problems, counts = [], {"whole": 0, "part": 0, "broken": 0, "refused": 0}
    end = time.monotonic() + SECONDS

    def call(rng):
        while time.monotonic() < end and not problems:
            try:
                _session(proxy.ports, rng, counts)
            except AssertionError as problem:
                problems.append(str(problem))
            except OSError:
                counts["broken"] += 1
    callers = [threading.Thread(target=call, args=(random.Random(seed * 1000 + i),)) for i in range(CALLERS)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    stop.set()
    apps.join()
    check(not problems, f"seed {seed}: {problems[:3]}")
    check(counts["whole"] > 20, f"seed {seed}: {counts}")
    for one in (proxy, inbound):
        deadline = time.monotonic() + 5
        while set(one.ask("open").split()) != {"0"} and time.monotonic() < deadline:
            time.sleep(0.02)
        check(set(one.ask("open").split()) == {"0"}, f"seed {seed}: open {one.ask('open')}")
        for word in one.ask("stats").split():
            check("in_flight" not in word or word.endswith("in_flight=0"), f"seed {seed}: {word}")
        check(one.ask("stop") == "stopped", "not stopped")


def AStormOfTunnelsLeavesNothingBehind(s):
    _storm(s, 1)


def AStormOfTunnelsOnTwoWorkersLeavesNothingBehind(s):
    _storm(s, 2, "--workers", 2)
