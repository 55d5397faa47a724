"""An app on Python's own http.server that closes a connection which is idle for IDLE seconds, and says nothing of it before.

    python3 -m ringside_testing.idle_app PORT IDLE

    ANY  /         reads the body, 200; counts the request under its x-id
    GET  /healthz  200
    GET  /seen     JSON {id: how often}: what was processed
"""
import collections
import http.server
import json
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen = collections.Counter()
    lock = threading.Lock()

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", "0")))
        body = b"ok\n"
        with self.lock:
            if self.path == "/seen":
                body = json.dumps(self.seen).encode()
            elif self.path != "/healthz":
                self.seen[self.headers["x-id"]] += 1
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


if __name__ == "__main__":
    Handler.timeout = float(sys.argv[2])
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
