"""wrk, h2load, node's http, undici, and Python's requests by HTTP_PROXY, each through two sidecars to a real server: no error."""
import json
import os
import re
import subprocess
import unittest

from ringside_testing.pair import REAL, Pair

_SIZE = 300_007
_CALLS = 400
_UNDICI = {"NODE_PATH": "/usr/share/nodejs"}
_PYTHON = "/usr/bin/python3"

# Run with the proxy in its environment, as an app would be; the arguments are the service and the file.
_REQUESTS = """
import hashlib, sys
import requests
service, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
content = open(path, "rb").read()
wanted = hashlib.sha256(content).hexdigest()
with requests.Session() as session:
    for number in range(count):
        got = session.get(f"http://{service}/bytes")
        assert got.status_code == 200 and got.content == content, got
        pieces = (content[at:at + 65536] for at in range(0, len(content), 65536))
        got = session.post(f"http://{service}/hash", data=content if number % 2 else pieces)
        assert got.status_code == 200 and got.text == wanted, (got, got.text)
print("done", count)
"""


class RealClients(unittest.TestCase):
    def run_client(self, command, env=None, timeout=90):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def started(self, pair):
        """node behind the pair; gives the path of the file that it serves."""
        path = pair.file(_SIZE)
        pair.start("node", ["node", os.path.join(REAL, "server.js"), pair.port, path])
        pair.join()
        return path

    def node_client(self, script, *words, env=None):
        with Pair() as pair:
            path = self.started(pair)
            said = json.loads(self.run_client(["node", os.path.join(REAL, script), pair.caller.outbound, pair.service, path, _CALLS, *words],
                                             env))
            self.assertEqual(said, {"done": _CALLS, "problems": []})
            self.assertEqual(pair.errors(), 0)

    def test_nodes_http_with_trailers(self):
        self.node_client("client_http.js")

    def test_undici_with_pipelining(self):
        self.node_client("client_undici.js", env=_UNDICI)

    def test_undicis_proxy_agent_by_connect(self):
        self.node_client("client_undici.js", "connect", env=_UNDICI)

    def test_pythons_requests_by_http_proxy(self):
        with Pair() as pair:
            path = self.started(pair)
            said = self.run_client([_PYTHON, "-c", _REQUESTS, pair.service, path, 50],
                                   {"HTTP_PROXY": pair.proxy, "http_proxy": pair.proxy, "NO_PROXY": "", "no_proxy": ""})
            self.assertEqual(said.strip(), "done 50")
            self.assertEqual(pair.errors(), 0)

    def test_wrk_and_h2load(self):
        with Pair() as pair:
            pair.file(1009)
            pair.nginx()
            pair.join()
            said = self.run_client(["wrk", "-t1", "-c32", "-d2s", f"{pair.proxy}/svc/{pair.service}/bytes"])
            print(f"        wrk: {re.search(r'[0-9]+ requests in .*', said).group()}")
            self.assertNotRegex(said, r"Socket errors|Non-2xx", said)
            said = self.run_client(["h2load", "--h1", "-n", 20000, "-c", 32, f"{pair.proxy}/svc/{pair.service}/bytes"])
            self.assertIn("20000 succeeded, 0 failed, 0 errored, 0 timeout", said)
            self.assertIn("status codes: 20000 2xx", said)
            self.assertEqual(pair.errors(), 0)
