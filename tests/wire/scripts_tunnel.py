"""How long a tunnel lives, and how much it carries."""
import json
import time

from tunnels import ASK, CONNECT, SWITCH, chat, read_answer, upgraded, wait_until_closed
from wire import GET, OK, check


def ATunnelIsCutAfterSilence(s):
    proxy, caller, app = upgraded(s, "--timeouts", "1000,0,5000,1000", "--access")
    for _ in range(4):  # longer than the limit altogether
        app.expect_quiet(0.3)
        caller.send("tick")
        app.expect("tick")
    caller.expect_end("reset")
    app.expect_end("reset")
    record = json.loads(proxy.ask("access"))
    check(record["code"] == 101 and record["cause"] == "timeout" and record["bytes_in"] == 16 and
          record["duration_ms"] >= 2000, str(record))


def TheResponseTimeDoesNotCutATunnel(s):
    _, caller, app = upgraded(s, "--timeouts", "1000,500,500,0")
    caller.expect_quiet(0.8)
    chat(caller, app)


def AStopLetsTunnelsLiveUntilItsLimit(s):
    proxy, caller, app = upgraded(s, "--drain", 1500)
    proxy.begin("stop")
    for _ in range(3):
        caller.send("still")
        app.expect("still")
        app.send("here")
        caller.expect("here")
    check(proxy.answer() == "stopped", "not stopped")
    caller.expect_end("reset")
    app.expect_end("reset")


def AStopEndsWithTheLastTunnel(s):
    proxy, caller, app = upgraded(s)
    proxy.begin("stop")
    chat(caller, app)
    check(proxy.answer() == "stopped", "not stopped")


def BytesBehindTheLastRequestBeforeAStopReachTheTunnel(s):
    """A head that was begun is served though the proxy stops; what stands behind it waits as always."""
    for head in (CONNECT, ASK):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(GET + head[:4])
        app = shop.accept()
        app.head()
        app.send(OK)
        read_answer(caller)
        proxy.begin("stop")
        wait_until_closed(proxy.ports["outbound"])
        caller.send(head[4:] + "early")
        if head is CONNECT:
            app = shop.accept()
        else:
            app.head()
            app.send(SWITCH)
        caller.head()
        app.expect("early")
        chat(caller, app)
        check(proxy.answer() == "stopped", "not stopped")


def ATunnelThatBothSidesEndedIsClosedAtOnce(s):
    """Nothing can come any more, so nobody waits for it (2 s, as behind an answer that came before its request was read)."""
    proxy, caller, app = upgraded(s)
    chat(caller, app)
    deadline = time.monotonic() + 1.5
    while proxy.ask("open").strip() != "0" and time.monotonic() < deadline:
        time.sleep(0.01)
    check(proxy.ask("open").strip() == "0", "the caller's connection is held")


def MegabytesPassATunnelToASlowReader(s):
    import threading
    proxy, caller, app = upgraded(s)
    body = bytes(range(256)) * (8 * 1024 * 1024 // 256)
    app.sock.settimeout(None)
    caller.sock.settimeout(None)
    up = threading.Thread(target=lambda: caller.send(body).end())
    down = threading.Thread(target=lambda: app.send(body))
    up.start()
    down.start()
    check(caller.read(len(body)) == body, "the bytes from the app differ")
    check(app.read(len(body)) == body, "the bytes from the caller differ")
    up.join()
    down.join()
    app.expect_end()
    app.end()
    caller.expect_end()
    check("shop:in_flight=0" in proxy.ask("stats"), proxy.ask("stats"))
