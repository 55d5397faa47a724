"""Large bodies, which go from socket to socket without being read: every byte arrives once, in order, and the messages
around them are where they belong. Bytes are random, so that none can stand in for another."""
import random
import signal
import socket
import threading

from wire import GET, OK, check

# Around what is read at once, held, and worth forwarding.
SIZES = (16 * 1024, 16 * 1024 + 1, 48 * 1024 - 1, 48 * 1024, 64 * 1024, 64 * 1024 + 1, 96 * 1024, 100_000, 128 * 1024 + 7, 1_000_003)
LARGE = 3_000_017


def _bytes(size, seed=1):
    return random.Random(seed * 1_000_003 + size).randbytes(size)


def _in_thread(call):
    """Runs it, and gives what waits for its end and tells its failure."""
    failed = []

    def run():
        try:
            call()
        except Exception as error:  # told in done()
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def done():
        thread.join(20)
        check(not thread.is_alive(), "still sending")
        check(not failed, failed)
    return done


def _ended(sender):
    sender.join(20)
    check(not sender.is_alive(), "still sending")


def _same(got, want):
    check(len(got) == len(want), f"{len(got)} bytes instead of {len(want)}")
    if got != want:
        at = next(i for i, (a, b) in enumerate(zip(got, want)) if a != b)
        check(False, f"another byte at {at} of {len(want)}")


def _counted(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _post(body, more=b""):
    return b"POST /up HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n" % len(body) + more + b"\r\n" + body


def _bytes_read(proxy):
    """What the proxy copied out of the kernel so far; bytes that are forwarded do not count."""
    with open(f"/proc/{proxy.process.pid}/io") as counts:
        return int(counts.readline().split()[1])  # rchar


def LargeBodiesAreForwardedWithoutBeingRead(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    body = _bytes(LARGE * 5)
    done = _in_thread(lambda: caller.send(_post(body)))
    app = shop.accept()
    app.head()
    _same(app.read(len(body)), body)
    done()
    uploaded = _bytes_read(proxy)
    check(uploaded < len(body) // 10, f"{uploaded} bytes of a request were read")
    done = _in_thread(lambda: app.send(_counted(body)))
    caller.head()
    _same(caller.read(len(body)), body)
    done()
    check(_bytes_read(proxy) - uploaded < len(body) // 10, f"{_bytes_read(proxy) - uploaded} bytes of a response were read")


def LargeResponsesFollowEachOtherOnOneConnection(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    app = None
    for seed, size in enumerate(SIZES + SIZES[::-1]):
        body = _bytes(size, seed)
        caller.send(GET)
        app = app or shop.accept()
        app.head()
        done = _in_thread(lambda: app.send(_counted(body)))
        caller.head().expect("HTTP/1.1 200 OK", content_length=str(size))
        _same(caller.read(size), body)
        done()
    caller.expect_quiet()
    shop.expect_no_connection()


def LargeRequestsFollowEachOtherOnOneConnection(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    app = None
    for seed, size in enumerate(SIZES + SIZES[::-1]):
        body = _bytes(size, seed)
        done = _in_thread(lambda: caller.send(_post(body)))
        app = app or shop.accept()
        app.head().expect("POST /up HTTP/1.1", content_length=str(size))
        _same(app.read(size), body)
        done()
        app.expect_quiet(0.02)
        app.send(OK)
        caller.head()
        caller.expect("ok")


def WhatIsPipelinedBehindALargeRequestIsTheNextRequest(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    bodies = [_bytes(size, 7) for size in SIZES]
    done = _in_thread(lambda: caller.send(b"".join(_post(body) + GET.encode() for body in bodies)))
    app = shop.accept()
    for body in bodies:
        app.head().expect("POST /up HTTP/1.1", content_length=str(len(body)))
        _same(app.read(len(body)), body)
        app.expect_quiet(0.02)
        app.send(OK)
        app.head().expect("GET / HTTP/1.1")
        app.send(OK)
        for _ in range(2):
            caller.head()
            caller.expect("ok")
    done()


def LargeBodiesPassBothWaysAtOnce(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    up, down = _bytes(LARGE, 1), _bytes(LARGE, 2)
    uploaded = _in_thread(lambda: caller.send(_post(up)))
    app = shop.accept()
    app.head()
    downloaded = _in_thread(lambda: app.send(_counted(down)))
    received = []
    taken = _in_thread(lambda: received.append(app.read(LARGE)))
    caller.head()
    _same(caller.read(LARGE), down)
    taken()
    _same(received[0], up)
    uploaded()
    downloaded()


def LargeBodiesPassTwoSidecarsByteByByte(s):
    app = s.upstream()
    far = s.proxy("--service", f"shop={app.address}")
    near = s.proxy("--endpoint", f"shop=127.0.0.1:1/{far.ports['inbound']}")
    caller = near.outbound()
    stream = None
    for seed in range(3):
        up, down = _bytes(LARGE, seed), _bytes(LARGE, seed + 10)
        uploaded = _in_thread(lambda: caller.send(_post(up)))
        stream = stream or app.accept()
        stream.head()
        _same(stream.read(LARGE), up)
        uploaded()
        downloaded = _in_thread(lambda: stream.send(_counted(down)))
        caller.head()
        _same(caller.read(LARGE), down)
        downloaded()


def ALargeResponseThatIsCutNeverLooksComplete(s):
    for how in ("close", "reset"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(GET)
        app = shop.accept()
        app.head()
        body = _bytes(LARGE)
        part = body[:2_000_000]
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE
        done = _in_thread(lambda: app.send(head + part))
        caller.head()
        if how == "close":
            _in_thread(lambda: (done(), app.close()))
            _same(caller.read(len(part)), part)
        else:
            _same(caller.read(1_000_000), body[:1_000_000])
            app.reset()
        caller.sock.settimeout(5)
        while caller._fill():
            pass
        check(caller.ended in ("eof", "reset") and len(caller.buffer) < LARGE - 1_000_000, f"{len(caller.buffer)} bytes and {caller.ended}")
        stats = proxy.ask("stats")
        check("reset" in stats, stats)


def ALargeResponseThatEndsWithTheConnectionReachesAnOldCallerWhole(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    app = shop.accept()
    app.head()
    body = _bytes(LARGE)
    done = _in_thread(lambda: app.send(b"HTTP/1.1 200 OK\r\n\r\n" + body))
    caller.head()
    _same(caller.read(LARGE), body)
    done()
    app.close()
    caller.expect_end()


def ALargeChunkedResponsePassesByteByByte(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    body = _bytes(LARGE)
    chunks = b"%x\r\n" % LARGE + body + b"\r\n0\r\n\r\n"
    done = _in_thread(lambda: app.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    caller.head()
    got = b""
    while True:
        size = int(caller.read_until("\r\n"), 16)
        got += caller.read(size)
        caller.expect("\r\n")
        if size == 0:
            break
    _same(got, body)
    done()


def ACallerThatLeavesALargeResponseTakesItsCallWithIt(s):
    for leave in ("close", "reset"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(GET)
        app = shop.accept()
        app.head()

        def pump():
            try:
                app.send(_counted(_bytes(LARGE * 10)))
            except OSError:
                return
            check(False, "all of it was taken")
        done = _in_thread(pump)
        caller.head()
        caller.read(500_000)
        getattr(caller, leave)()
        done()
        caller = proxy.outbound()
        caller.send(GET)  # the proxy is as good as new
        app = shop.accept()
        app.head()
        app.send(OK)
        caller.head()


def ACallerThatLeavesItsLargeRequestEndsTheCall(s):
    for leave in ("close", "reset"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        body = _bytes(LARGE)
        caller.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % (2 * LARGE))
        done = _in_thread(lambda: caller.send(body))
        app = shop.accept()
        app.head()
        _same(app.read(1_000_000), body[:1_000_000])
        if leave == "close":
            _in_thread(lambda: (done(), caller.close()))
        else:
            caller.reset()
        while app._fill():
            pass
        check(len(app.buffer) <= LARGE - 1_000_000, "more than was sent")
        check(body[1_000_000:].startswith(app.buffer), "other bytes than were sent")


def AnAppThatLeavesALargeRequestCostsA502AndTheRestIsSwallowed(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    body = _bytes(LARGE)
    sender = caller.pump(_post(body))
    app = shop.accept()
    app.head()
    _same(app.read(1_000_000), body[:1_000_000])
    app.reset()
    head = caller.head()
    check(head.first.startswith("HTTP/1.1 502") and head.get("x-ringside-error") == "reset", head.text)
    _ended(sender)


def AnEarlyAnswerToALargeRequestReachesTheCaller(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    body = _bytes(LARGE * 10)
    sender = caller.pump(_post(body))
    app = shop.accept()
    app.head()
    app.read(1_000_000)
    app.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge")
    caller.head().expect("HTTP/1.1 413 Content Too Large", connection="close")
    caller.expect("large")
    _ended(sender)


def AnAppThatReadsNothingHoldsALargeRequestBackAndLosesNothing(s):
    proxy, shop = s.pair()
    shop.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    caller = proxy.outbound()
    body = _bytes(LARGE * 4)
    done = _in_thread(lambda: caller.send(_post(body)))
    app = shop.accept()
    app.head()
    got = b""
    while len(got) < len(body):
        step = min(len(body) - len(got), 250_000)
        got += app.read(step)
        threading.Event().wait(0.02)  # time is the matter: it is read in bits
    _same(got, body)
    done()
    app.send(OK)
    caller.head()


def AnAppThatExpectsAskingGetsItsLargeRequest(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    body = _bytes(LARGE)
    caller.send(_post(body, b"Expect: 100-continue\r\n")[:-LARGE])
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.head().expect("HTTP/1.1 100 Continue")
    done = _in_thread(lambda: caller.send(body))
    _same(app.read(LARGE), body)
    done()
    answer = _bytes(LARGE, 5)
    sent = _in_thread(lambda: app.send(_counted(answer)))
    caller.head()
    _same(caller.read(LARGE), answer)
    sent()


def BytesBehindALargeResponseAreNeverTheNextOne(s):
    proxy, shop = s.pair()
    body = _bytes(100_000)
    for _ in range(20):
        caller = proxy.outbound()
        caller.send(GET * 2)
        app = shop.accept()
        app.head()
        app.send(_counted(body) + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray")
        caller.head()
        _same(caller.read(len(body)), body)
        fresh = shop.accept()
        fresh.head()
        fresh.send(OK)
        caller.head()
        caller.expect("ok")
        caller.close()
        fresh.close()


def AnUrgentByteStopsNoLargeBody(s):
    body = _bytes(LARGE)
    before, behind = body[:1_000_000], body[1_000_000:]

    def pass_on(sender, receiver):
        sender.send(before)
        _same(receiver.read(len(before)), before)
        sender.sock.send(b"!", socket.MSG_OOB)  # no part of the stream
        done = _in_thread(lambda: sender.send(behind))
        _same(receiver.read(len(behind)), behind)
        done()
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(_post(body)[:-LARGE])
    app = shop.accept()
    app.head()
    pass_on(caller, app)
    app.send(_counted(body)[:-LARGE])
    caller.head()
    pass_on(app, caller)


def AnUrgentByteIsNotTakenForTheEndOfALargeBody(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    app = shop.accept()
    app.head()
    body = _bytes(300_000)
    app.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
    caller.head()
    _same(caller.read(len(body)), body)
    proxy.process.send_signal(signal.SIGSTOP)  # so that it sees all the rest at once
    app.sock.send(b"!", socket.MSG_OOB)
    app.send(body[:200_000]).end()
    proxy.process.send_signal(signal.SIGCONT)
    _same(caller.read(200_000), body[:200_000])
    caller.expect_end()


def AStopLetsALargeResponseFinish(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    body = _bytes(LARGE)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE
    done = _in_thread(lambda: app.send(head + body[:2_000_000]))
    caller.head()
    _same(caller.read(2_000_000), body[:2_000_000])
    done()
    proxy.begin("stop")
    rest = _in_thread(lambda: app.send(body[2_000_000:]))
    _same(caller.read(LARGE - 2_000_000), body[2_000_000:])
    rest()
    caller.expect_end()
