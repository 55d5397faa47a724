"""Raw TCP on a fixed port."""
import json

from tunnels import CONNECTED, UNPROCESSED, chat, expect_reset
from wire import check, dead_port


def RawBytesGoStraightToAnEndpointWithoutSidecar(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    app = shop.accept()
    app.send("220 hello\r\n")
    caller.expect("220 hello\r\n")
    chat(caller, app)
    stats = proxy.ask("stats")
    check("shop:200=1 " in stats and "shop:in_flight=0" in stats, stats)


def RawBytesGoThroughTheOtherSidecarByConnect(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("GET / HTTP/1.1\r\n\r\n")  # bytes, whatever they look like
    sidecar = shop.accept()
    sidecar.head().expect("CONNECT shop:0 HTTP/1.1", host="shop", x_ringside_service="shop",
                          x_ringside_instance="127.0.0.1-1-00000001", x_ringside_ring="default")
    sidecar.expect_quiet()
    sidecar.send(CONNECTED)
    sidecar.expect("GET / HTTP/1.1\r\n\r\n")
    chat(caller, sidecar)


def RawBytesPassTwoSidecars(s):
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}")
    proxy = s.proxy("--endpoint", f"shop={app.address}/{inbound.ports['inbound']}",
                    "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    at_app = app.accept()
    chat(caller, at_app)
    check("inbound:200=1" in inbound.ask("stats"), inbound.ask("stats"))


def ARawCallerThatHasSaidAllBeforeTheConnectionStandsIsHeard(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("all of it").end()
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(CONNECTED)
    sidecar.expect("all of it").expect_end()
    sidecar.send("and the answer").end()
    caller.expect("and the answer").expect_end()


def ARawConnectionIsTriedOnTheNextHost(s):
    up = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint",
                    f"shop={up.address}", "--balance", "round_robin", "--attempts", 0,
                    "--tcp", "shop=0")
    for _ in range(2):
        caller = proxy.fixed("shop")
        chat(caller, up.accept())
    check("shop:retry:connect_failure=" in proxy.ask("stats"), proxy.ask("stats"))


def ARawConnectionThatFindsNobodyIsReset(s):
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--tcp", "shop=0",
                    "--tcp", "nobody=0", "--access")
    expect_reset(proxy, "shop")
    expect_reset(proxy, "nobody")
    stats = proxy.ask("stats")
    check("shop:502=1 " in stats and "shop:error:connect_failure=1" in stats, stats)
    check("shop:in_flight=0" in stats, stats)
    record = json.loads(proxy.ask("access").split("} ")[0] + "}")
    check(record["method"] == "CONNECT" and record["code"] == 502 and
          record["cause"] == "connect_failure" and record["upstream"] == "shop", str(record))


def ARawConnectionThatTheLastSidecarRefusesIsReset(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(f"HTTP/1.1 421 Misdirected Request\r\n{UNPROCESSED}"
                 "x-ringside-error: wrong_instance\r\nContent-Length: 0\r\n\r\n")
    caller.expect_end("reset")
    stats = proxy.ask("stats")
    check("shop:421=1 " in stats and "shop:error:wrong_instance=1" in stats, stats)


def ARawConnectionThatIsResetBeforeAByteCountsAgainstItsHost(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0",
                    "--timeouts", "5000,0,0,0")  # so long it is watched after it stands
    for _ in range(7):
        caller = proxy.fixed("shop")
        caller.send("anybody?")
        shop.accept().expect("anybody?").reset()
        caller.expect_end("reset")
    expect_reset(proxy, "shop")
    stats = proxy.ask("stats")
    check("shop:error:reset=7" in stats and "shop:error:breaker_open=1" in stats, stats)


def ARawConnectionThatIsResetAfterAByteDoesNot(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    for _ in range(8):
        caller = proxy.fixed("shop")
        app = shop.accept()
        app.send("x")
        caller.expect("x")
        app.reset()
        caller.expect_end("reset")
    check("breaker_open" not in proxy.ask("stats"), proxy.ask("stats"))


def ACallersResetReachesTheHost(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("x")
    app = shop.accept()
    app.expect("x")
    caller.reset()
    app.expect_end("reset")
    check("error" not in proxy.ask("stats"), proxy.ask("stats"))
