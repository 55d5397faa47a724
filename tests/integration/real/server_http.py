"""server_http.py PORT FILE: the threaded server of Python's standard library; it answers what server.js says."""
import hashlib
import http.server
import sys
import time
import urllib.parse

with open(sys.argv[2], "rb") as content:
    BYTES = content.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path in ("/bytes", "/healthz"):
            self.whole(BYTES if url.path == "/bytes" else b"")
        elif url.path == "/chunked":
            self.pieces("application/octet-stream", (BYTES[at:at + 65537] for at in range(0, len(BYTES), 65537)))
        elif url.path == "/events":
            query = urllib.parse.parse_qs(url.query)
            self.pieces("text/event-stream", self.events(int(query["n"][0]), int(query["ms"][0]) / 1000))
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def do_POST(self):
        digest = hashlib.sha256()
        for piece in self.body():
            digest.update(piece)
        self.whole(digest.hexdigest().encode())

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline() != b"\r\n":
                pass
            return
        left = int(self.headers.get("content-length", "0"))
        while left:
            piece = self.rfile.read(min(left, 1 << 18))
            left -= len(piece)
            yield piece

    def whole(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def pieces(self, kind, pieces):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    @staticmethod
    def events(count, seconds):
        for number in range(count):
            time.sleep(seconds)
            yield f"id: {number}\ndata: {time.monotonic()}\n\n".encode()


http.server.ThreadingHTTPServer.request_queue_size = 1024
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
