"""Two real sidecars in a row: the caller's outbound, the app's inbound."""
import threading

from wire import GET, OK, Mismatch, check


def _sidecar(s):
    """An app and the sidecar before it; gives both and the endpoint option that leads there."""
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}")
    return app, inbound, f"shop={app.address}/{inbound.ports['inbound']}"


def _serve(app, closed):
    """Answers every request on every connection until the listener is closed."""
    def one(wire):
        try:
            while True:
                head = wire.head()
                wire.read(int(head.get("content-length") or 0))
                wire.send(OK)
        except Exception:  # the connection is over, however
            wire.close()

    def run():
        while not closed.is_set():
            try:
                wire = app.accept()
            except Exception:
                continue
            threading.Thread(target=one, args=(wire,), daemon=True).start()
    app.listener.settimeout(0.1)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _post(caller):
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi")
    head = caller.head()
    head.text += caller.read(int(head.get("content-length"))).decode()
    return head


def ACallPassesTwoSidecars(s):
    app, _, endpoint = _sidecar(s)
    outbound = s.proxy("--endpoint", endpoint)
    caller = outbound.outbound()
    caller.send("GET /x HTTP/1.1\r\nHost: shop\r\nx-request-id: r1\r\n\r\n")
    at_app = app.accept()
    at_app.head().expect("GET /x HTTP/1.1", host="shop", x_request_id="r1",
                         x_forwarded_for="127.0.0.1, 127.0.0.1", x_ringside_service=None)
    at_app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_instance="self-1-00000001")
    caller.expect("ok")


def ACallerThatBreaksOffEndsTheCallBehindTwoSidecars(s):
    app, inbound, endpoint = _sidecar(s)
    outbound = s.proxy("--endpoint", endpoint)
    for said in ("", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun"):
        caller = outbound.outbound()
        caller.send(GET)
        at_app = app.accept()
        at_app.head()
        at_app.send(said)
        if said:
            caller.head()
            caller.expect("begun")
        caller.reset()
        at_app.expect_end()
    check("inbound:499=1" in inbound.ask("stats"), inbound.ask("stats"))


def ATryThatIsGivenUpEndsBehindTwoSidecars(s):
    app, _, endpoint = _sidecar(s)
    outbound = s.proxy("--endpoint", endpoint, "--timeouts", "1000,100,0,0")
    caller = outbound.outbound()
    caller.send(GET)
    at_app = app.accept()
    at_app.head()
    at_app.expect_end()
    caller.head().expect("HTTP/1.1 504 Gateway Timeout", x_ringside_error="timeout")


def ADeadAppBehindItsSidecarCostsNoPost(s):
    closed = threading.Event()
    one, _, to_one = _sidecar(s)
    two, _, to_two = _sidecar(s)
    threads = [_serve(app, closed) for app in (one, two)]
    outbound = s.proxy("--endpoint", to_one, "--endpoint", to_two, "--balance", "round_robin",
                       "--attempts", 0)
    caller = outbound.outbound()
    for i in range(40):
        if i == 20:
            one.kill()
        head = _post(caller)
        check(head.first == "HTTP/1.1 200 OK", f"call {i}: {head.text}")
    check("shop:retry:refused=" in outbound.ask("stats"), outbound.ask("stats"))
    closed.set()
    for thread in threads:
        thread.join()


def AStoppingSidecarCostsNoPost(s):
    closed = threading.Event()
    one, stopping, to_one = _sidecar(s)
    two, _, to_two = _sidecar(s)
    threads = [_serve(app, closed) for app in (one, two)]
    outbound = s.proxy("--endpoint", to_one, "--endpoint", to_two, "--balance", "round_robin",
                       "--attempts", 0)
    failed = []

    def call(count):
        try:
            caller = outbound.outbound()
            for _ in range(count):
                head = _post(caller)
                if head.first != "HTTP/1.1 200 OK":
                    failed.append(head.text)
        except (Mismatch, OSError) as error:
            failed.append(str(error))

    callers = [threading.Thread(target=call, args=(150,)) for _ in range(8)]
    for thread in callers:
        thread.start()
    check(_post(outbound.outbound()).first == "HTTP/1.1 200 OK", "the first call failed")
    stopping.ask("drain")
    check(stopping.ask("stop") == "stopped", "not stopped")
    for thread in callers:
        thread.join()
    check(not failed, f"{len(failed)} calls failed, e.g. {failed[:1]}")
    closed.set()
    for thread in threads:
        thread.join()
