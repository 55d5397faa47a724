"""`ringside exec`: the app as the sidecar's child, from its start to its status."""
import os
import pty
import signal
import stat
import sys
import threading
import time
import unittest

from ringside_testing import http_client
from ringside_testing.load import OpenLoop
from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring, app_command
from ringside_testing.sidecar import binary, cli

# Writes down what it gets. Options: `ready=PORT` asks that admin port at its start; `call=PORT` calls `other` through
# that outbound port once it is asked to end; `ignore`: does not end when asked to; `exit=N`.
_WITNESS = """
import http.client, os, signal, sys, time
out = open(sys.argv[1], "a", buffering=1)
options = dict((word + "=").split("=")[:2] for word in sys.argv[2:])
def get(port, path, host="localhost"):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    connection.request("GET", path, headers={"Host": host})
    return connection.getresponse().status
def got(number, frame):
    out.write(signal.Signals(number).name + "\\n")
    if number in (signal.SIGTERM, signal.SIGINT) and "ignore" not in options:
        if "call" in options:
            time.sleep(0.5)
            out.write(f"called {get(options['call'], '/', 'other')}\\n")
        sys.exit(int(options.get("exit", 0)))
for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH"):
    signal.signal(getattr(signal, "SIG" + name), got)
out.write(f"ready {get(options['ready'], '/readyz')}\\n" if "ready" in options else "")
out.write(f"pid {os.getpid()}\\n")
while True:
    signal.pause()
"""


class Witness:
    def __init__(self, bench, name="witness"):
        self.path = os.path.join(bench.folder, f"{name}.txt")

    def command(self, *options):
        return [sys.executable, "-c", _WITNESS, self.path, *options]

    def lines(self):
        try:
            with open(self.path, encoding="utf-8") as lines:
                return lines.read().splitlines()
        except FileNotFoundError:
            return []

    def pid(self):
        return next((int(line.split()[1]) for line in self.lines() if line.startswith("pid ")), None)

    def signals(self):
        return [line for line in self.lines() if line.startswith("SIG")]


class Exec(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.witness = Witness(self.bench)

    def started(self, *options, settings=None):
        """A sidecar without a service, its witness running."""
        sidecar = self.bench.sidecar("exec", settings, app=self.witness.command(*options))
        wait_until(self.witness.pid, 15, lambda: f"the app runs\n{sidecar.process.log_tail()}")
        return sidecar

    def ends_with(self, sidecar, status, timeout=15):
        wait_until(lambda: not sidecar.process.running(), timeout, lambda: f"it ends\n{sidecar.process.log_tail()}")
        self.assertEqual(sidecar.process.exit_code, status, sidecar.process.log_tail())


class Status(Exec):
    def test_the_apps_status_is_ours(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)):
            with self.subTest(script):
                sidecar = self.bench.sidecar(f"status-{status}", app=["sh", "-c", script])
                self.ends_with(sidecar, status)

    def test_an_app_that_cannot_be_run_is_127_or_126(self):
        plain = os.path.join(self.bench.folder, "plain")
        with open(plain, "w", encoding="utf-8") as out:
            out.write("no program\n")
        os.chmod(plain, stat.S_IRUSR)
        for program, status in (("no-such-program-anywhere", 127), (plain, 126)):
            with self.subTest(status):
                sidecar = self.bench.sidecar(f"none-{status}", started=False)
                sidecar.write_settings()
                done = cli("exec", "-c", sidecar.config_path, "--", program, "argument")
                self.assertEqual(done.returncode, status, done)
                self.assertIn(f"cannot start the app {program}", done.stderr)

    def test_a_sidecar_that_cannot_start_runs_no_app(self):
        other = self.bench.sidecar("other").wait_ready()
        mine = self.bench.sidecar("mine", {"proxy": {"outbound": f"127.0.0.1:{other.outbound}"}}, started=False)
        mine.write_settings()
        done = cli("exec", "-c", mine.config_path, "--", *self.witness.command())
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(str(other.outbound), done.stderr)
        with open(mine.config_path, "a", encoding="utf-8") as out:
            out.write("nonsense: 1\n")
        done = cli("exec", "-c", mine.config_path, "--", *self.witness.command())
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(self.witness.lines(), [])

    def test_a_sidecar_that_is_not_ready_waits_with_the_app(self):
        ports = [free_port() for _ in range(3)]
        sidecar = self.bench.sidecar("alone", {"ring": {
            "listen": f"127.0.0.1:{ports[0]}", "advertise": f"127.0.0.1:{ports[0]}",
            "voters": [f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(ports)]}}, app=self.witness.command())
        wait_until(lambda: sidecar.try_(lambda: sidecar.get("/readyz").status) == 503, 10, "its ports are open")
        time.sleep(1)
        self.assertEqual(self.witness.lines(), [])
        self.assertEqual(sidecar.stop(), 0)  # there was no app that could have a status
        self.assertEqual(self.witness.lines(), [])

    def test_it_needs_no_file(self):
        probe = self.bench.sidecar("ports", started=False)
        command = [binary(), "exec", "--set", f"proxy.outbound=127.0.0.1:{probe.outbound}", "--set",
                   f"admin.listen=127.0.0.1:{probe.admin}", "--set", f"proxy.inbound=127.0.0.1:{probe.inbound}",
                   "--service", f"orders=127.0.0.1:{free_port()}", "--", "sh", "-c", "exit 9"]
        process = self.bench.process("no-file", command, env={"STATE_DIRECTORY": f"{self.bench.folder}/state"})
        wait_until(lambda: process.exit_code == 9, 15, lambda: f"9, not {process.exit_code}\n{process.log_tail()}")


class Signals(Exec):
    def test_the_app_starts_when_the_sidecar_is_ready(self):
        probe = self.bench.sidecar("exec", started=False)
        sidecar = self.bench.sidecar("exec", probe.settings, app=self.witness.command(f"ready={probe.admin}"))
        wait_until(self.witness.pid, 15, lambda: f"the app runs\n{sidecar.process.log_tail()}")
        self.assertIn("ready 200", self.witness.lines())

    def test_other_signals_are_the_apps_at_once(self):
        sidecar = self.started()
        for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGQUIT"):
            before = self.witness.signals()
            sidecar.process.signal(getattr(signal, name))
            wait_until(lambda b=before, n=name: self.witness.signals() == [*b, n], 5, f"{name} arrives")
        self.assertTrue(sidecar.process.running())
        self.assertEqual(sidecar.stop(), 0)

    def test_term_and_int_are_passed_on_once_and_the_status_is_the_apps(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                self.witness = Witness(self.bench, f"witness-{number.name}")
                sidecar = self.bench.sidecar(f"exec-{number.name}", app=self.witness.command("exit=5"))
                wait_until(self.witness.pid, 15, lambda: f"the app runs\n{sidecar.process.log_tail()}")
                sidecar.process.signal(number)
                self.ends_with(sidecar, 5)
                self.assertEqual(self.witness.signals(), [number.name])

    def test_the_outbound_proxy_is_up_until_the_app_has_ended(self):
        other = self.bench.app("other-1")
        probe = self.bench.sidecar("exec", started=False)
        settings = {**probe.settings, "upstreams": {"other": {"endpoints": [f"127.0.0.1:{other.port}"]}}}
        sidecar = self.bench.sidecar("exec", settings, app=self.witness.command(f"call={probe.outbound}"))
        wait_until(self.witness.pid, 15, lambda: f"the app runs\n{sidecar.process.log_tail()}")
        sidecar.process.signal(signal.SIGTERM)
        self.ends_with(sidecar, 0)
        self.assertIn("called 200", self.witness.lines())

    def test_an_app_that_ignores_it_is_waited_for(self):
        sidecar = self.started("ignore", settings={"drain": {"timeout": "1s"}})
        sidecar.process.signal(signal.SIGTERM)
        wait_until(lambda: self.witness.signals() == ["SIGTERM"], 5, "it was passed on")
        time.sleep(1.5)  # past drain.timeout
        self.assertTrue(sidecar.process.running())
        sidecar.process.signal(signal.SIGTERM)
        wait_until(lambda: self.witness.signals() == ["SIGTERM", "SIGTERM"], 5, "the second is passed on too")
        os.kill(self.witness.pid(), signal.SIGKILL)
        self.ends_with(sidecar, 137)

    def test_ctrl_c_on_a_terminal_reaches_the_app_once(self):
        sidecar = self.bench.sidecar("exec", started=False)
        sidecar.write_settings()
        command = [binary(), "exec", "-c", sidecar.config_path, "--", *self.witness.command("exit=4")]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(command[0], command)
        try:
            drain = threading.Thread(target=self.read_all, args=(terminal,), daemon=True)
            drain.start()
            wait_until(self.witness.pid, 15, "the app runs")
            os.write(terminal, b"\x03")
            wait_until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), 15, "it ends")
        finally:
            os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.close(terminal)
        self.assertEqual(status, 4)
        self.assertEqual(self.witness.signals(), ["SIGINT"])

    @staticmethod
    def read_all(terminal):
        try:
            while os.read(terminal, 4096):
                pass
        except OSError:
            pass  # the other side is closed

    def test_a_killed_sidecar_leaves_the_app_alone(self):
        sidecar = self.bench.sidecar("exec", started=False)
        sidecar.write_settings()
        process = self.bench.process("bare", [binary(), "exec", "-c", sidecar.config_path, "--", *self.witness.command()])
        pid = wait_until(self.witness.pid, 15, lambda: f"the app runs\n{process.log_tail()}")
        try:
            process.kill()
            os.kill(pid, signal.SIGUSR1)
            wait_until(lambda: self.witness.signals() == ["SIGUSR1"], 5, "it lives")
        finally:
            os.kill(pid, signal.SIGKILL)

    def test_the_app_has_no_descriptor_of_ours(self):
        sidecar = self.bench.sidecar("exec", started=False)
        sidecar.write_settings()
        script = "ls -l /proc/self/fd | grep -c socket; exit 0"
        done = cli("exec", "-c", sidecar.config_path, "--", "sh", "-c", script)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "0"), done)


class InARing(unittest.TestCase):
    """One more instance of `orders`, run by `exec`, in a ring of three."""

    def add(self, ring, name="orders-x"):
        port = free_port()
        settings = {**ring.member(type("At", (), {"port": port})), "drain": {"timeout": "30s"}}
        sidecar = ring.sidecar(name, settings, app=app_command(name, port))
        ring.caller.wait_up("orders", 4)
        return sidecar, port

    def entries(self, ring, port):
        return [endpoint["state"] for endpoint in ring.caller.endpoints("orders") if endpoint["port"] == port]

    def test_a_deploy_loses_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, "orders", rate=200) as load:
            for _ in range(2):
                sidecar, port = self.add(ring)
                wait_until(lambda: load.results.per_instance()["orders-x"] > 20, 10, "it takes traffic")
                self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                self.assertEqual(self.entries(ring, port), [])
            self.assertEqual(load.stop().failed(), [])
            text = sidecar.process.log_text()
            self.assertLess(text.index("every living sidecar routes around"), text.index("passed on to the app"))

    def test_what_is_under_way_is_answered_before_the_app_is_asked_to_end(self):
        with Ring() as ring:
            sidecar, port = self.add(ring)
            answers = []
            slow = threading.Thread(target=lambda: answers.append(http_client.request(
                sidecar.inbound, path="/slow?ms=2000", headers={"Host": "orders"})))
            slow.start()
            counts = lambda: http_client.request(port, path="/control/counts").json()  # noqa: E731
            wait_until(lambda: counts()["in_flight"] == 1, 5, "a call in flight")
            self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
            slow.join()
            self.assertEqual([answer.status for answer in answers], [200])

    def test_a_second_signal_does_not_wait_for_the_drain(self):
        with Ring() as ring:
            sidecar, port = self.add(ring)
            answers = []
            slow = threading.Thread(target=lambda: answers.append(http_client.request(
                sidecar.inbound, path="/slow?ms=4000", headers={"Host": "orders"})))
            slow.start()
            counts = lambda: http_client.request(port, path="/control/counts").json()  # noqa: E731
            wait_until(lambda: counts()["in_flight"] == 1, 5, "a call in flight")
            sidecar.process.signal(signal.SIGTERM)
            wait_until(lambda: "draining first" in sidecar.process.log_text(), 5, "the first is heard")
            sidecar.process.signal(signal.SIGTERM)
            wait_until(lambda: "passed on to the app" in sidecar.process.log_text(), 1, "the second is passed on")
            slow.join()  # this app ends after what is in flight
            wait_until(lambda: sidecar.process.exit_code == 0, 10, lambda: f"it ends\n{sidecar.process.log_tail()}")
            self.assertEqual([answer.status for answer in answers], [200])

    def test_the_entry_of_an_app_that_dies_goes_at_once(self):
        with Ring() as ring:
            sidecar, port = self.add(ring)
            with open(f"/proc/{sidecar.pid}/task/{sidecar.pid}/children", encoding="ascii") as children:
                app = int(children.read().split()[0])
            os.kill(app, signal.SIGKILL)
            wait_until(lambda: self.entries(ring, port) == [], 1, "the entry goes")  # a session lasts longer
            wait_until(lambda: sidecar.process.exit_code == 137, 10, lambda: f"137\n{sidecar.process.log_tail()}")
