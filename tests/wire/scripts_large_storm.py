"""Many callers and apps that move large bodies both ways at once, by a seed: slow ones, such as leave in the middle, answer early, pipeline. Every
byte of every body that arrives is compared; a body that was cut never looks complete; nothing is left behind."""
import random
import socket
import threading
import time

from wire import check

SECONDS = 2.0
CALLERS = 12
MOST = 2_000_000
BYTES = memoryview(random.Random(5).randbytes(2 * MOST))
RESET = b"\1\0\0\0\0\0\0\0"


def _size(rng):
    """From nothing to MOST, small ones as often as large ones."""
    return rng.choice((0, int(10 ** rng.uniform(0, 6.3)), rng.randrange(MOST // 8), rng.choice((16384, 32768, 65536, 131072)) + rng.randint(-2, 2)))


def _body(place, size):
    return BYTES[place:place + size]


class _Gone(Exception):
    """The other side ended the connection inside a message."""


class _Reader:
    """Takes messages off a socket, at a pace of its own."""

    def __init__(self, sock, rng):
        self.sock, self.rng, self.data = sock, rng, bytearray()
        self.pace = rng.choice((0, 0, 0, 0.002))

    def more(self):
        if self.pace and self.rng.random() < 0.3:
            time.sleep(self.rng.random() * self.pace)
        piece = self.sock.recv(self.rng.choice((32768, 131072, 524288)))
        self.data += piece
        return bool(piece)

    def head(self):
        """(first line, fields), or None where the connection ends before its first byte."""
        while (at := self.data.find(b"\r\n\r\n")) < 0:
            if not self.more():
                if self.data:
                    raise _Gone
                return None
        lines = bytes(self.data[:at]).split(b"\r\n")
        del self.data[:at + 4]
        return lines[0], dict(line.lower().split(b": ", 1) for line in lines[1:])

    def take(self, size):
        while len(self.data) < size:
            if not self.more():
                raise _Gone
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken

    def line(self):
        while (at := self.data.find(b"\r\n")) < 0:
            if not self.more():
                raise _Gone
        return self.take(at + 2)[:-2]

    def body(self, fields):
        if fields.get(b"transfer-encoding") == b"chunked":
            got = b""
            while size := int(self.line(), 16):
                got += self.take(size)
                self.take(2)
            self.take(2)
            return got
        if b"content-length" in fields:
            return self.take(int(fields[b"content-length"]))
        while self.more():
            pass
        return self.take(len(self.data))


def _send(sock, rng, data):
    """In pieces, with pauses, as it comes."""
    data = memoryview(data)
    pauses = rng.random() < 0.2
    while data:
        size = rng.choice((1000, 20_000, 200_000, MOST)) + len(data) // 8 if pauses else MOST
        sock.sendall(data[:size])
        data = data[size:]
        if pauses and rng.random() < 0.2:
            time.sleep(rng.random() * 0.004)


def _leave(sock, rng):
    if rng.random() < 0.5:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


class _Storm:
    def __init__(self, seed):
        self.seed, self.problems, self.counts = seed, [], {}
        self.doing = {}
        self.stop = threading.Event()

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def app(self, listener, seed):
        rng = random.Random(seed)
        listener.settimeout(0.1)
        threads = []
        while not self.stop.is_set():
            try:
                sock, _ = listener.accept()
            except socket.timeout:
                continue
            except OSError:
                return
            threads.append(threading.Thread(target=self.serve, args=(sock, random.Random(rng.random()))))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def serve(self, sock, rng):
        sock.settimeout(10)
        reader = _Reader(sock, rng)
        try:
            with sock:
                while self.answer(sock, reader, rng):
                    pass
        except socket.timeout:
            if not self.stop.is_set():
                self.problems.append("an app waits in vain")
        except (OSError, _Gone):
            pass

    def answer(self, sock, reader, rng):
        """False: the connection is over."""
        got = reader.head()
        if got is None:
            return False
        first, fields = got
        try:
            place, up, down = (int(word) for word in first.split(b" ")[1][1:].split(b"-"))
        except ValueError:
            self.problems.append(f"no head: {first[:80]}")
            return False
        what = rng.random()
        if what < 0.03:
            reader.take(min(up, rng.randrange(MOST)))
            _leave(sock, rng)
            return False
        early = what < 0.07
        if not early and reader.body(fields) != _body(place, up):
            self.problems.append(f"another request body of {up}")
        body = _body(place + 1, down)
        counted = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % down
        if what < 0.12 and not early:
            _send(sock, rng, bytes(counted) + body[:rng.randrange(down + 1)])
            _leave(sock, rng)
            return False
        if what < 0.17 and not early:
            _send(sock, rng, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(body))
            return False
        if what < 0.22:
            half = down // 2
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]) if piece)
            _send(sock, rng, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        else:
            _send(sock, rng, counted + bytes(body))
        if early and reader.body(fields) != _body(place, up):
            self.problems.append(f"another request body of {up} behind an early answer")
        return what < 0.95

    def caller(self, port, seed, end):
        rng = random.Random(seed)
        while time.monotonic() < end and len(self.problems) < 5:
            sock = socket.socket()
            sock.settimeout(5)
            sock.connect(("127.0.0.1", port))
            try:
                self.calls(sock, rng, seed)
            except socket.timeout:
                self.problems.append(f"caller {seed} waits in vain: {self.doing.get(seed)}")
            except (OSError, _Gone):
                self.count("cut")
            finally:
                sock.close()

    def calls(self, sock, rng, seed):
        reader = _Reader(sock, rng)
        for _ in range(rng.randint(1, 10)):
            wanted = [(rng.randrange(MOST - 1), _size(rng), _size(rng)) for _ in range(rng.choice((1, 1, 1, 3)))]
            old = rng.random() < 0.07
            if old:
                del wanted[1:]
            method, version = rng.choice((b"PUT", b"POST")), b"1.0" if old else b"1.1"
            message = b"".join(b"%s /%d-%d-%d HTTP/%s\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % (method, place, up, down, version, up)
                               + _body(place, up) for place, up, down in wanted)
            leave = rng.random() < 0.04
            if leave:
                message = message[:rng.randrange(len(message))]
            sender = threading.Thread(target=self.send, args=(sock, random.Random(rng.random()), message))
            sender.start()
            try:
                if leave:
                    sender.join()
                    _leave(sock, rng)
                    return
                for number, want in enumerate(wanted):
                    self.doing[seed] = (number, wanted, method, version)
                    if rng.random() < 0.03:
                        reader.take(rng.randrange(30))  # less than any answer
                        time.sleep(rng.random() * 0.02)
                        _leave(sock, rng)
                        return
                    if not self.check_answer(reader, want):
                        return
            finally:
                if sock.fileno() >= 0 and sender.is_alive():
                    sock.shutdown(socket.SHUT_RDWR)
                sender.join()
            if old:
                return

    def send(self, sock, rng, message):
        try:
            _send(sock, rng, message)
        except OSError:
            pass  # the reading side tells

    def check_answer(self, reader, want):
        """False: no further one on this connection."""
        place, _, down = want
        got = reader.head()
        if got is None:
            raise _Gone
        first, fields = got
        status = int(first.split(b" ")[1])
        body = reader.body(fields)
        self.count(status)
        if status == 200 and body != _body(place + 1, down):
            self.problems.append(f"{len(body)} bytes, or others, instead of {down}: {fields}")
        if status != 200 and b"x-ringside-error" not in fields:
            self.problems.append(f"{first} of nobody")
        return fields.get(b"connection") != b"close" and (b"content-length" in fields or b"transfer-encoding" in fields)


def _storm(s, seed, chain=False, *options):
    apps = [s.upstream() for _ in range(3)]
    if chain:
        sidecars = [s.proxy("--service", f"shop={app.address}") for app in apps]
        words = [f"shop=127.0.0.1:{1 + i}/{one.ports['inbound']}" for i, one in enumerate(sidecars)]
    else:
        sidecars, words = [], [f"shop={one.address}" for one in apps]
    proxy = s.proxy(*[word for one in words for word in ("--endpoint", one)], "--no-breaker", *options)
    storm = _Storm(seed)
    end = time.monotonic() + SECONDS
    apps = [threading.Thread(target=storm.app, args=(one.listener, seed * 100 + i)) for i, one in enumerate(apps)]
    callers = [threading.Thread(target=storm.caller, args=(proxy.ports["outbound"], seed * 1000 + i, end)) for i in range(CALLERS)]
    for thread in apps + callers:
        thread.start()
    for thread in callers:
        thread.join()
    storm.stop.set()
    check(not storm.problems, f"seed {seed}: {storm.problems[:5]}")
    check(storm.counts.get(200, 0) > 50, f"seed {seed}: {storm.counts}")
    for one in [proxy, *sidecars]:
        deadline = time.monotonic() + 5
        while set(one.ask("open").split()) != {"0"} and time.monotonic() < deadline:
            time.sleep(0.02)
        check(set(one.ask("open").split()) == {"0"}, f"seed {seed}: open {one.ask('open')}")
        for word in one.ask("stats").split():
            check("in_flight" not in word or word.endswith("in_flight=0"), f"seed {seed}: {word}")
        check(one.ask("stop") == "stopped", "not stopped")
    for thread in apps:
        thread.join()


def AStormOfLargeBodiesLosesNothing(s):
    _storm(s, 1)


def AStormOfLargeBodiesOnTwoWorkersLosesNothing(s):
    _storm(s, 2, False, "--workers", 2)


def AStormOfLargeBodiesThroughTwoSidecarsLosesNothing(s):
    _storm(s, 3, True)
