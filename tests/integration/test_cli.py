"""The subcommands from outside: what they print, how they end, what they refuse."""
import json
import re
import signal
import subprocess
import time
import unittest

from ringside_testing import http_client
from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench
from ringside_testing.sidecar import REPOSITORY, binary, cli

_NOT_IN_THIS_VERSION = (["config", "get", "orders"], ["znode", "ls", "/"], ["explain", "abc"], ["ring", "add", "4@127.0.0.1:4154"],
                        ["ring", "remove", "3"])


class WithoutASidecar(unittest.TestCase):
    def test_version_says_name_and_number(self):
        done = cli("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"ringside \d+\.\d+\.\d+")

    def test_what_is_not_built_is_refused(self):
        for arguments in _NOT_IN_THIS_VERSION:
            with self.subTest(" ".join(arguments)):
                done = cli(*arguments)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn("not in this version", done.stderr)

    def test_wrong_usage_ends_with_2(self):
        for arguments in ([], ["fly"], ["status", "--nonsense"], ["endpoints"], ["check"], ["run", "--set", "nonsense"],
                          ["run", "--set", "proxy.outbond=127.0.0.1:1"], ["status", "--admin", "nowhere"], ["exec"], ["exec", "true"],
                          ["exec", "--"], ["drain", "--timeout", "soon"]):
            with self.subTest(" ".join(arguments)):
                done = cli(*arguments)
                self.assertEqual(done.returncode, 2, done)
                self.assertTrue(done.stderr.strip())

    def test_nobody_there_ends_with_1_and_says_where_it_asked(self):
        port = free_port()
        for arguments in (["status"], ["services"], ["endpoints", "orders"], ["ring"], ["drain"], ["drain", "--undo"]):
            with self.subTest(" ".join(arguments)):
                done = cli(*arguments, "--admin", f"127.0.0.1:{port}")
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(str(port), done.stderr)

    def test_wait_ready_gives_up_after_its_timeout(self):
        began = time.monotonic()
        done = cli("wait-ready", "--timeout", "500ms", "--admin", f"127.0.0.1:{free_port()}")
        self.assertEqual(done.returncode, 1, done)
        self.assertLess(time.monotonic() - began, 3)

    def test_an_answer_that_cannot_be_written_is_a_failure(self):
        for arguments in (["version"], ["--help"], ["check", f"{REPOSITORY}/deploy/ringside.yaml"]):
            with self.subTest(" ".join(arguments)), open("/dev/full", "wb") as full:
                done = subprocess.run([binary(), *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn("No space left", done.stderr)

    def test_help_lists_the_commands(self):
        done = cli("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("run", "exec", "check", "status", "services", "endpoints", "ring", "wait-ready", "drain", "version"):
            self.assertIn(command, done.stdout)


class WithASidecar(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.app = self.bench.app("orders-1")
        self.sidecar = self.bench.sidecar("orders-1", {"service": {
            "name": "orders", "address": f"127.0.0.1:{self.app.port}", "zone": "eu-1a", "metadata": {"version": "v2"},
            "health_check": {"http": "/healthz", "interval": "100ms"}}})
        self.at = ("--admin", f"127.0.0.1:{self.sidecar.admin}")

    def test_wait_ready_registered_waits_for_the_entry(self):
        done = cli("wait-ready", "--registered", "--timeout", "15s", *self.at)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(len(self.sidecar.up("orders")), 1)

    def test_json_is_what_the_admin_api_says(self):
        self.sidecar.wait_ready().wait_up("orders", 1)
        for arguments, path, volatile in ((["status"], "/v1/status", {"uptime_seconds"}), (["services"], "/v1/services", set()),
                                          (["endpoints", "orders"], "/v1/services/orders", set()),
                                          (["ring"], "/v1/ring", {"view_age_seconds"})):
            with self.subTest(path):
                done = cli(*arguments, "--json", *self.at)
                self.assertEqual(done.returncode, 0, done)
                by_cli, by_http = json.loads(done.stdout), self.sidecar.json(path)
                for key in set(by_cli) | set(by_http) - volatile:
                    if key not in volatile:
                        self.assertEqual(by_cli[key], by_http[key], key)

    def test_the_fields_are_those_of_the_contract(self):
        self.sidecar.wait_ready().wait_up("orders", 1)
        status = self.sidecar.json("/v1/status")
        self.assertLessEqual({"name", "service", "version", "uptime_seconds", "ready", "ring"}, set(status))
        self.assertEqual(self.sidecar.json("/v1/services")["services"], [{"service": "orders", "endpoints": 1, "up": 1}])
        endpoint = self.sidecar.endpoints("orders")[0]
        self.assertEqual({key: endpoint[key] for key in ("host", "port", "inbound_port", "state", "breaker", "weight", "zone")},
                         {"host": "127.0.0.1", "port": self.app.port, "inbound_port": self.sidecar.inbound, "state": "up",
                          "breaker": "closed", "weight": 100, "zone": "eu-1a"})
        self.assertRegex(endpoint["instance"], rf"^127\.0\.0\.1-{self.app.port}-[0-9a-f]{{8}}$")
        self.assertIn("in_flight", endpoint)
        ring = self.sidecar.ring()
        self.assertLessEqual({"name", "birth_id", "id", "role", "leader", "epoch", "applied_zxid", "routed_zxid", "quorum",
                              "view_age_seconds", "members"}, set(ring))
        self.assertTrue(re.fullmatch(r"0x[0-9a-f]+", ring["applied_zxid"]), ring["applied_zxid"])
        self.assertEqual((ring["role"], ring["quorum"], len(ring["members"])), ("leading", True, 1))
        self.assertLessEqual({"id", "address", "voter", "role", "connected", "zxid"}, set(ring["members"][0]))

    def test_people_get_words(self):
        self.sidecar.wait_ready().wait_up("orders", 1)
        for arguments, words in ((["status"], ("orders",)), (["services"], ("orders",)), (["endpoints", "orders"], (str(self.app.port), "up")),
                                 (["ring"], ("leading",))):
            with self.subTest(" ".join(arguments)):
                done = cli(*arguments, *self.at)
                self.assertEqual(done.returncode, 0, done)
                for word in words:
                    self.assertIn(word, done.stdout)

    def test_a_frozen_sidecar_does_not_hold_up_a_drain_past_its_timeout(self):
        self.sidecar.wait_ready()
        self.sidecar.process.signal(signal.SIGSTOP)
        began = time.monotonic()
        done = cli("drain", "--timeout", "500ms", *self.at)
        self.sidecar.process.signal(signal.SIGCONT)
        self.assertEqual(done.returncode, 1, done)
        self.assertLess(time.monotonic() - began, 3)

    def test_an_unknown_service_ends_with_1(self):
        self.sidecar.wait_ready().wait_up("orders", 1)
        done = cli("endpoints", "ordrs", *self.at)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("ordrs", done.stderr)

    def test_a_change_by_a_foreign_page_is_refused(self):
        self.sidecar.wait_ready()
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            with self.subTest(str(headers)):
                self.assertGreaterEqual(http_client.request(self.sidecar.admin, "POST", "/v1/drain", headers).status, 400)


class RingOfOne(unittest.TestCase):
    def test_it_needs_no_file(self):
        with Bench() as bench:
            app = bench.app("orders-1")
            probe = bench.sidecar("ports", started=False)  # only for its free ports
            listen = {"proxy.outbound": probe.outbound, "proxy.inbound": probe.inbound, "admin.listen": probe.admin}
            command = [*probe.process.command[:2], "--service", f"orders=127.0.0.1:{app.port}"]
            for key, port in listen.items():
                command += ["--set", f"{key}=127.0.0.1:{port}"]
            process = bench.process("alone", command, env={"STATE_DIRECTORY": f"{bench.folder}/state"})
            at = ("--admin", f"127.0.0.1:{probe.admin}")
            wait_until(lambda: cli("wait-ready", "--registered", "--timeout", "1s", *at).returncode == 0, 15,
                       lambda: f"ready\n{process.log_tail()}")
            self.assertEqual(json.loads(cli("ring", "--json", *at).stdout)["role"], "leading")
            self.assertEqual(json.loads(cli("services", "--json", *at).stdout)["services"][0]["up"], 1)
            self.assertEqual(process.stop(), 0)
