"""Limits over all workers at once: what an app sees of many callers, counted."""
import selectors
import socket
import threading
import time

from waiting import answered, until
from wire import GET, Mismatch, check


class _CountingApp:
    """Answers each request after a moment; knows how many requests and connections it had at most at a time."""

    def __init__(self, upstream, limit):
        self.listener = upstream.listener
        self.limit = limit
        self.open = {}  # socket -> bytes
        self.most_open = self.most_running = self.answered = 0
        self.held = []  # requests to be answered
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        self.listener.settimeout(0)
        with selectors.DefaultSelector() as chosen:
            chosen.register(self.listener, selectors.EVENT_READ)
            while not self.over.is_set():
                ready = [key.fileobj for key, _ in chosen.select(0.002)]
                for sock in [one for one in ready if one is not self.listener]:
                    self.read(sock, chosen)
                if self.listener in ready:
                    self.take(chosen)
                self.most_running = max(self.most_running, len(self.held))
                # Some are answered while others wait, so that connections and requests overlap in all ways.
                for sock in self.held[:max(1, len(self.held) // 2)]:
                    self.held.remove(sock)
                    self.answered += 1
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def take(self, chosen):
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        end = time.monotonic() + 1
        while len(self.open) >= self.limit and time.monotonic() < end:
            # The end of the one that was closed for it may be a moment behind.
            if not self.drop_ended(chosen):
                time.sleep(0.001)
        self.open[sock] = b""
        self.most_open = max(self.most_open, len(self.open))
        chosen.register(sock, selectors.EVENT_READ)

    def drop_ended(self, chosen):
        dropped = False
        for sock in list(self.open):
            try:
                if sock.recv(1, socket.MSG_PEEK) == b"":
                    self.end(sock, chosen)
                    dropped = True
            except BlockingIOError:
                pass
            except ConnectionResetError:
                self.end(sock, chosen)
                dropped = True
        return dropped

    def end(self, sock, chosen):
        chosen.unregister(sock)
        del self.open[sock]
        sock.close()

    def read(self, sock, chosen):
        if sock not in self.open:
            return
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.end(sock, chosen)
            return
        self.open[sock] += data
        if self.open[sock].endswith(b"\r\n\r\n"):
            self.open[sock] = b""
            self.held.append(sock)

    def close(self):
        self.over.set()
        self.thread.join()
        for sock in self.open:
            sock.close()


def _many_calls(s, limits, callers, calls, workers=2):
    proxy, shop = s.pair("--limits", limits, "--workers", workers, "--timeouts", "60000,0,0,0")
    app = _CountingApp(shop, int(limits.split(",")[0]))
    s.stack.callback(app.close)
    wires = [proxy.outbound() for _ in range(callers)]
    problems = []

    def call(wire):
        try:
            for _ in range(calls):
                wire.sock.settimeout(60)
                wire.send(GET)
                answered(wire)
        except (Mismatch, OSError) as problem:
            problems.append(str(problem))

    threads = [threading.Thread(target=call, args=(wire,)) for wire in wires]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not problems, problems[:1])
    check(app.answered == callers * calls, f"{app.answered} answered")
    until(proxy, f"shop:200={callers * calls}", "shop:in_flight=0", "shop:pending=0")
    return app


def TwoWorkersTogetherKeepToTheLimitOfRequests(s):
    app = _many_calls(s, "100,1000,4", 24, 40)
    check(app.most_running == 4, f"{app.most_running} requests at a time")


def TwoWorkersTogetherKeepToTheLimitOfConnections(s):
    app = _many_calls(s, "3,1000,100", 24, 40)
    check(app.most_open == 3, f"{app.most_open} connections at a time")
    check(app.most_running == 3, f"{app.most_running} requests at a time")


def BothLimitsHoldTogether(s):
    app = _many_calls(s, "2,1000,5", 16, 40, workers=3)
    check(app.most_open == 2, f"{app.most_open} connections at a time")
