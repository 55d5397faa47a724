"""A real Prometheus scrapes three sidecars, and its own linter has nothing to say of what it gets."""
import os
import subprocess
import unittest

from ringside_testing import http_client
from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Ring


class Prometheus(unittest.TestCase):
    def test_it_scrapes_three_sidecars_and_promtool_is_content(self):
        with Ring() as ring:
            for _ in range(50):
                self.assertEqual(http_client.call(ring.caller.outbound, "orders").status, 200)
            for sidecar in [*ring.sidecars, ring.caller]:
                text = sidecar.get("/metrics").body
                done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))
            port = free_port()
            targets = [f"127.0.0.1:{sidecar.admin}" for sidecar in ring.sidecars]
            config = os.path.join(ring.folder, "prometheus.yml")
            with open(config, "w", encoding="ascii") as out:
                out.write("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: ringside\n"
                          f"  static_configs: [{{targets: {targets}}}]\n")
            prometheus = ring.process("prometheus", ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                                                     f"--storage.tsdb.path={ring.folder}/tsdb"])

            def scraped():
                try:
                    active = http_client.request(port, path="/api/v1/targets").json()["data"]["activeTargets"]
                except (OSError, ValueError):  # not listening yet, or listening and not yet ready
                    return False
                return sorted(t["labels"]["instance"] for t in active if t["health"] == "up") == sorted(targets)

            wait_until(scraped, 20, lambda: f"three targets up\n{prometheus.log_tail()}")
            query = "/api/v1/query?query=sum(ringside_ring_role%7Brole%3D%22leading%22%7D)"
            wait_until(lambda: [row["value"][1] for row in http_client.request(port, path=query).json()["data"]["result"]] == ["1"], 10,
                       lambda: f"one leader: {http_client.request(port, path=query).text()}")
