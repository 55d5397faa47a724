"""server_flood.py PORT: gives and takes bytes by the gigabyte, each by its place in the stream (flood.py), so that none can be
lost, doubled or out of order. GET /give/N; POST /take answers how many came; GET /healthz.
"""
import socketserver
import sys

from ringside_testing import flood


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            method, target = head.split(b" ", 2)[:2]
            if method == b"POST":
                length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                # What the reader has taken beyond the head is a part of the body.
                taken = flood.take(lambda most: self.rfile.read1(most), length)
                self.answer(b"%d" % taken)
            elif target.startswith(b"/give/"):
                length = int(target.rsplit(b"/", 1)[1])
                self.connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length)
                flood.give(self.connection, length)
            else:
                self.answer(b"")

    def answer(self, body):
        self.connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
