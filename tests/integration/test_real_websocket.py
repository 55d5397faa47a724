"""npm's ws on both sides of two sidecars: texts, binaries, pings and closing codes pass as they are."""
import json
import os
import subprocess
import unittest

from ringside_testing.pair import REAL, Pair

_SOCKETS = 8
_ENV = {"NODE_PATH": "/usr/share/nodejs"}


class RealWebSocket(unittest.TestCase):
    def test_an_echo_by_ws(self):
        with Pair() as pair:
            pair.start("ws", ["node", os.path.join(REAL, "ws_echo.js"), pair.port], _ENV)
            pair.join()
            done = subprocess.run(["node", os.path.join(REAL, "ws_client.js"), str(pair.caller.outbound), pair.service, str(_SOCKETS)],
                                  env={**os.environ, **_ENV}, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout), {"done": _SOCKETS, "problems": []})
            self.assertEqual(pair.errors(), 0)
