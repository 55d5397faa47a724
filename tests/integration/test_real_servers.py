"""nginx, node, Python's own threaded server and aiohttp behind two sidecars, called by curl: every byte is what the server has."""
import hashlib
import os
import subprocess
import unittest

from ringside_testing.pair import REAL, Pair

_SIZE = 4_000_037
_PYTHON = "/usr/bin/python3"


class RealServers(unittest.TestCase):
    def curl(self, pair, *arguments, body=None):
        """What curl prints: the body, then the status in a line of its own."""
        done = subprocess.run(["curl", "-sS", "--max-time", "60", "-x", pair.proxy, "-w", "\n%{http_code}", *arguments],
                              input=body, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout[-300:])
        content, _, status = done.stdout.rpartition(b"\n")
        return int(status), content

    def url(self, pair, path):
        return f"http://{pair.service}{path}"

    def reads(self, pair, content, chunked=True):
        """Downloads, as they are and by parts of a kept connection."""
        for path in ("/bytes", "/chunked") if chunked else ("/bytes",):
            status, got = self.curl(pair, self.url(pair, path))
            self.assertEqual((status, hashlib.sha256(got).digest()), (200, hashlib.sha256(content).digest()), path)
        status, head = self.curl(pair, "-I", self.url(pair, "/bytes"))
        self.assertEqual(status, 200)
        self.assertIn(f"content-length: {len(content)}", head.decode().lower())
        # 50 over one connection: curl itself complains of a body that is not whole.
        status, got = self.curl(pair, self.url(pair, "/healthz?[1-50]"))
        self.assertEqual((status, got.count(b"200")), (200, 49))

    def hashes(self, pair, content, path):
        """Uploads with a length, in chunks, and after a 100 (Continue)."""
        wanted = hashlib.sha256(content).hexdigest().encode()
        plain = ["-X", "POST", "-H", "Content-Type: application/octet-stream"]
        for how in (["--data-binary", f"@{path}", "-H", "Expect:"],
                    ["--data-binary", f"@{path}", "-H", "Expect: 100-continue"],
                    ["-T", path, "-H", "Transfer-Encoding: chunked", "-H", "Expect:"],
                    ["-T", path, "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]):
            self.assertEqual(self.curl(pair, *plain, *how, self.url(pair, "/hash")), (200, wanted), how)

    def whole(self, name, command):
        with Pair() as pair:
            path = pair.file(_SIZE)
            with open(path, "rb") as file:
                content = file.read()
            pair.start(name, [*command, pair.port, path])
            pair.join()
            self.reads(pair, content)
            self.hashes(pair, content, path)
            self.assertEqual(pair.errors(), 0)

    def test_node(self):
        self.whole("node", ["node", os.path.join(REAL, "server.js")])

    def test_pythons_threaded_server(self):
        self.whole("http.server", [_PYTHON, os.path.join(REAL, "server_http.py")])

    def test_aiohttp(self):
        self.whole("aiohttp", [_PYTHON, os.path.join(REAL, "server_aiohttp.py")])

    def test_nginx(self):
        with Pair() as pair:
            path = pair.file(_SIZE)
            with open(path, "rb") as file:
                content = file.read()
            pair.nginx()
            pair.join()
            self.reads(pair, content, chunked=False)
            self.ranges(pair, content)
            # nginx compresses without a length: chunked.
            status, got = self.curl(pair, "--compressed", self.url(pair, "/zipped/bytes"))
            self.assertEqual((status, got == content), (200, True))
            for number, how in enumerate((["-T", path], ["-T", path, "-H", "Transfer-Encoding: chunked"])):
                status, _ = self.curl(pair, *how, self.url(pair, f"/put/{number}"))
                self.assertEqual(status, 201)
                self.assertEqual(self.curl(pair, self.url(pair, f"/put/{number}")), (200, content))
                self.assertEqual(self.curl(pair, "-X", "DELETE", self.url(pair, f"/put/{number}")), (204, b""))
            self.assertEqual(pair.errors(), 0)

    def ranges(self, pair, content):
        url = self.url(pair, "/bytes")
        self.assertEqual(self.curl(pair, "-r", "1000-1999", url), (206, content[1000:2000]))
        status, head = self.curl(pair, "-I", url)
        tag = next(line.split(":", 1)[1].strip() for line in head.decode().splitlines() if line.lower().startswith("etag:"))
        self.assertEqual(self.curl(pair, "-H", f"If-None-Match: {tag}", url), (304, b""))
        status, _ = self.curl(pair, "-r", f"{len(content) + 1}-", url)
        self.assertEqual(status, 416)
