"""What scripts on used connections share: exchanges that warm one up, and an app that answers by itself."""
import threading

from wire import GET, OK, Mismatch

POST = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"


def ok(fields=""):
    return f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"


def take(app, request):
    """Reads all of `request`, as the proxy sends it."""
    body = request.split("\r\n\r\n", 1)[1]
    app.read_until(body[-8:] if len(body) > 8 else "\r\n\r\n" + body)


def call(caller, app, request=GET, fields=""):
    """One exchange through to `app`, a connection that the proxy has."""
    caller.send(request)
    take(app, request)
    app.send(ok(fields))
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")


def warm(s, made, request=GET, fields=""):
    """A caller and an app with a connection between that carried one exchange."""
    proxy, shop = made
    caller = proxy.inbound() if "--service" in proxy.process.args else proxy.outbound()
    caller.send(request)
    app = shop.accept()
    take(app, request)
    app.send(ok(fields))
    caller.head()
    caller.expect("ok")
    return proxy, shop, caller, app


def fresh(caller, shop, request):
    """`request` must come by a new connection; gives it, answered."""
    caller.send(request)
    app = shop.accept()
    take(app, request)
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")
    return app


class Serving:
    """Answers every request to `app` while it is entered."""

    def __init__(self, app):
        self.app = app
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.app.listener.settimeout(0.1)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _accept(self):
        while not self.over.is_set():
            try:
                wire = self.app.accept()
            except Mismatch:
                continue
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire):
        try:
            while True:
                head = wire.head()
                wire.read(int(head.get("content-length") or 0))
                wire.send(OK)
        except (Mismatch, OSError):
            wire.close()
