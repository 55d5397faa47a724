"""Many callers and badly behaved apps at once, by a seed: nothing crashes, leaks or hangs, and every
complete answer is the right one."""
import random
import socket
import threading
import time

from wire import check

SECONDS = 2.0


def _app(listener, seed, stop):
    """Serves until `stop`, misbehaving in ways that a seed picks."""
    rng = random.Random(seed)

    def serve(sock, mood):
        with sock:
            sock.settimeout(2)
            data = b""
            try:
                while not stop.is_set():
                    while b"\r\n\r\n" not in data:
                        more = sock.recv(65536)
                        if not more:
                            return
                        data += more
                    head, data = data.split(b"\r\n\r\n", 1)
                    length = 0
                    for line in head.split(b"\r\n")[1:]:
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    early = mood.random() < 0.05
                    while len(data) < length and not early:
                        more = sock.recv(65536)
                        if not more:
                            return
                        data += more
                    data = data[length:]
                    token = head.split(b" ")[1]
                    if not answer(sock, token, mood) or early:
                        return
            except OSError:
                return

    def answer(sock, token, mood):
        """False: the connection is over."""
        what = mood.random()
        if what < 0.03:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        if what < 0.06:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
            return False
        if what < 0.09:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
            return False
        if what < 0.12:
            sock.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
            return True
        if what < 0.2:
            sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + token)
            return False
        if what < 0.4:
            pieces = token * 2000 if what < 0.22 else token
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                         % (len(pieces), pieces))
            return True
        if what < 0.45:
            time.sleep(0.02)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(token), token))
        return what < 0.95  # or close behind a complete answer

    listener.settimeout(0.1)
    threads = []
    while not stop.is_set():
        try:
            sock, _ = listener.accept()
        except socket.timeout:
            continue
        except OSError:
            break
        thread = threading.Thread(target=serve, args=(sock, random.Random(rng.random())))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


def _read_answer(sock, data):
    """(status, body, rest), or None where the connection ended before the answer was complete."""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    head, data = data.split(b"\r\n\r\n", 1)
    status = int(head.split(b" ")[1])
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    close = fields.get(b"connection") == b"close"
    if fields.get(b"transfer-encoding") == b"chunked":
        while not data.endswith(b"0\r\n\r\n"):
            more = sock.recv(65536)
            if not more:
                return None
            data += more
        body, rest = b"", data
        while True:
            size, rest = rest.split(b"\r\n", 1)
            if int(size, 16) == 0:
                break
            body += rest[:int(size, 16)]
            rest = rest[int(size, 16) + 2:]
        return status, body, close
    length = int(fields[b"content-length"])
    while len(data) < length:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    return status, data[:length], close


def _caller(port, seed, end, problems, counts):
    rng = random.Random(seed)
    number = 0
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
                for _ in range(rng.randint(1, 30)):
                    number += 1
                    token = b"/%d-%d" % (seed, number)
                    body = b"b" * rng.choice((0, 0, 0, 10, 5000, 100000))
                    method = b"PUT" if body else b"GET"
                    sock.sendall(b"%s %s HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n"
                                 % (method, token, len(body)))
                    if body and rng.random() < 0.05:
                        break  # goes away inside its request
                    sock.sendall(body)
                    if rng.random() < 0.05:
                        break  # goes away before the answer
                    answer = _read_answer(sock, b"")
                    if answer is None:
                        counts["cut"] += 1
                        break
                    status, got, close = answer
                    counts[status] = counts.get(status, 0) + 1
                    if status == 200 and got not in (token, token * 2000):
                        problems.append(f"asked {token}, got {got[:80]!r}")
                    if close:
                        break
        except socket.timeout:
            problems.append(f"caller {seed} hangs")
            return
        except OSError:
            counts["broken"] += 1


def _storm(s, seed, *options):
    listeners = [s.upstream() for _ in range(3)]
    endpoints = [word for one in listeners for word in ("--endpoint", f"shop={one.address}")]
    proxy = s.proxy(*endpoints, "--no-breaker", *options)
    stop = threading.Event()
    apps = [threading.Thread(target=_app, args=(one.listener, seed * 100 + i, stop))
            for i, one in enumerate(listeners)]
    problems, counts = [], {"cut": 0, "broken": 0}
    end = time.monotonic() + SECONDS
    callers = [threading.Thread(target=_caller,
                                args=(proxy.ports["outbound"], seed * 1000 + i, end, problems, counts))
               for i in range(24)]
    for thread in apps + callers:
        thread.start()
    for thread in callers:
        thread.join()
    stop.set()
    for thread in apps:
        thread.join()
    check(not problems, f"seed {seed}: {problems[:5]}")
    check(counts.get(200, 0) > 100, f"seed {seed}: {counts}")
    deadline = time.monotonic() + 5
    while set(proxy.ask("open").split()) != {"0"} and time.monotonic() < deadline:
        time.sleep(0.02)
    check(set(proxy.ask("open").split()) == {"0"}, f"seed {seed}: open {proxy.ask('open')}")
    stats = proxy.ask("stats").split()
    for word in stats:
        check("in_flight" not in word or word.endswith("in_flight=0"), f"seed {seed}: {stats}")
    check(proxy.ask("stop") == "stopped", "not stopped")


def AStormLeavesNothingBehind(s):
    _storm(s, 1)


def AStormOnTwoWorkersLeavesNothingBehind(s):
    _storm(s, 2, "--workers", 2, "--balance", "round_robin")
