"""Start, reload, stop: from the view on disk, by SIGHUP, by SIGTERM."""
import http.client
import os
import socket
import subprocess
import threading
import time
import unittest

from ringside_testing import http_client
from ringside_testing.load import OpenLoop
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench, Ring
from ringside_testing.sidecar import binary, cli


class Descriptors(unittest.TestCase):
    """The limit of open files: raised for the sidecar, as it was for the app."""

    def limited(self, bench, how, soft, hard, *app):
        sidecar = bench.sidecar(f"limit-{how}-{hard}", started=False)
        sidecar.write_settings()
        command = ["prlimit", f"--nofile={soft}:{hard}", binary(), how, "-c", sidecar.config_path, *app]
        sidecar.process = bench.process(f"limited-{how}-{hard}", command)
        return sidecar.wait_ready()

    @staticmethod
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return children.read().split()

    @staticmethod
    def limits(pid):
        with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
            return next(line.split()[3:5] for line in limits if line.startswith("Max open files"))

    def test_the_soft_limit_is_raised_to_the_hard_one(self):
        with Bench() as bench:
            sidecar = self.limited(bench, "run", 256, 5000)
            self.assertEqual(self.limits(sidecar.pid), ["5000", "5000"])
            wait_until(lambda: '"descriptors":5000' in sidecar.process.log_text(), 5, sidecar.process.log_tail)
            self.assertNotIn("file descriptors are allowed", sidecar.process.log_text())

    def test_a_small_hard_limit_is_warned_of(self):
        with Bench() as bench:
            sidecar = self.limited(bench, "run", 256, 4000)
            wait_until(lambda: "only 4000 file descriptors are allowed" in sidecar.process.log_text(), 5, sidecar.process.log_tail)

    def test_a_standard_stream_that_is_closed_is_no_number_for_our_files(self):
        with Bench() as bench:
            sidecar = bench.sidecar("closed", started=False)
            sidecar.write_settings()
            sidecar.process = bench.process("closed-streams", ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *sidecar.process.command])
            sidecar.wait_ready()
            self.assertEqual({os.readlink(f"/proc/{sidecar.pid}/fd/{number}") for number in range(3)}, {"/dev/null"})
            self.assertEqual(sidecar.stop(), 0)

    def test_the_app_of_exec_has_the_limit_that_we_were_given(self):
        with Bench() as bench:
            sidecar = self.limited(bench, "exec", 256, 5000, "--", "setpriv", "--pdeathsig", "KILL", "sleep", "600")
            app = wait_until(lambda: self.children(sidecar.pid), 15, "the app runs")[0]
            self.assertEqual(self.limits(app), ["256", "5000"])
            self.assertEqual(self.limits(sidecar.pid), ["5000", "5000"])


class Threads(unittest.TestCase):
    def test_each_worker_is_named_as_its_loop_in_the_metrics(self):
        with Bench() as bench:
            pid = bench.sidecar("named", {"proxy": {"workers": 2}}).wait_ready().pid
            names = []
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as name:
                    names.append(name.read().strip())
            self.assertEqual(sorted(name for name in names if name.startswith("worker")), ["worker-0", "worker-1"])


class CleanStop(unittest.TestCase):
    def test_the_entry_goes_everywhere_and_the_exit_is_0(self):
        with Ring() as ring:
            leaver = next(s for s in ring.sidecars if s is not ring.leader())
            app = ring.apps[ring.sidecars.index(leaver)]
            began = time.monotonic()
            self.assertEqual(leaver.stop(), 0, leaver.process.log_tail())
            ended = time.monotonic() - began
            self.assertLess(ring.wait_gone(app, 1.0), 1.0)
            self.assertLess(ended, 10)  # nothing in flight: not until drain.timeout

    def test_a_caller_without_a_service_has_nobody_to_wait_for(self):
        with Ring() as ring:
            began = time.monotonic()
            self.assertEqual(ring.caller.stop(10), 0, ring.caller.process.log_tail())
            self.assertLess(time.monotonic() - began, 2)  # far below drain.settle

    def test_what_is_in_flight_is_answered(self):
        with Ring() as ring:
            answers = []
            slow = threading.Thread(target=lambda: answers.extend(
                http_client.call(ring.caller.outbound, "orders", "/slow?ms=2000") for _ in range(1)))
            slow.start()
            wait_until(lambda: any(app.control("counts")["in_flight"] for app in ring.apps), 5, "a call in flight")
            serving = next(i for i, app in enumerate(ring.apps) if app.control("counts")["in_flight"])
            self.assertEqual(ring.sidecars[serving].stop(), 0)
            slow.join()
            self.assertEqual([answer.status for answer in answers], [200])

    def test_drain_timeout_bounds_the_stop(self):
        with Bench() as bench:
            app = bench.app("slow")
            caller = bench.static_caller("orders", [app], settings={"drain": {"timeout": "1s"}})
            stuck = threading.Thread(target=self.ignore_failure, args=(caller.outbound,))
            stuck.start()
            wait_until(lambda: app.control("counts")["in_flight"] == 1, 5, "a call in flight")
            began = time.monotonic()
            self.assertEqual(caller.stop(), 0)
            self.assertLess(time.monotonic() - began, 4)
            stuck.join()

    @staticmethod
    def ignore_failure(port):
        try:
            http_client.call(port, "orders", "/slow?ms=8000")
        except (OSError, http.client.HTTPException):
            pass  # it was cut off, as it should be


class StuckLog(unittest.TestCase):
    def test_a_log_that_nobody_reads_holds_up_neither_calls_nor_the_stop(self):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")], settings={"log": {"access": True}})
            caller.stop()
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            try:
                while os.write(writer, b"x" * 4096):
                    pass
            except BlockingIOError:
                os.set_blocking(writer, True)
            process = subprocess.Popen(caller.process.command, stderr=writer)
            try:
                wait_until(lambda: caller.try_(lambda: caller.get("/readyz").status == 200), 15, "ready")
                self.assertEqual(http_client.call(caller.outbound, "orders").status, 200)
                process.terminate()
                self.assertEqual(process.wait(20), 0)
            finally:
                process.kill()
                process.wait()
                os.close(reader)
                os.close(writer)


class Reload(unittest.TestCase):
    def test_a_good_file_takes_effect_and_loses_no_call(self):
        with Bench() as bench:
            apps = [bench.app("a"), bench.app("b")]
            caller = bench.static_caller("orders", apps[:1])
            with OpenLoop(caller.outbound, "orders", rate=100) as load:
                time.sleep(0.5)
                caller.settings["upstreams"]["orders"]["endpoints"] = [f"127.0.0.1:{app.port}" for app in apps]
                caller.write_settings()
                caller.reload()
                wait_until(lambda: load.results.per_instance()["b"] > 0, 5, lambda: f"b takes traffic\n{caller.process.log_tail()}")
                time.sleep(0.5)
            self.assertEqual(load.results.failed(), [])

    def test_a_changed_file_is_read_without_a_signal(self):
        with Bench() as bench:
            apps = [bench.app("a"), bench.app("b")]
            caller = bench.static_caller("orders", apps[:1])
            caller.settings["upstreams"]["orders"]["endpoints"] = [f"127.0.0.1:{apps[1].port}"]
            caller.write_settings()
            wait_until(lambda: http_client.call(caller.outbound, "orders").headers["x-instance"] == "b", 10,
                       lambda: f"b answers\n{caller.process.log_tail()}")

    def test_a_bad_file_changes_nothing_and_says_so(self):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")])
            with open(caller.config_path, "a", encoding="utf-8") as out:
                out.write("nonsense: 1\n")
            self.assertEqual(cli("check", caller.config_path).returncode, 2)
            caller.reload()
            wait_until(lambda: "nonsense" in caller.process.log_text(), 5, lambda: f"the log says so\n{caller.process.log_tail()}")
            self.assertEqual(http_client.call(caller.outbound, "orders").status, 200)
            self.assertTrue(caller.process.running())

    def test_a_port_that_is_taken_is_said_and_opened_once_it_is_free(self):
        with Bench() as bench, socket.socket() as other:
            caller = bench.static_caller("orders", [bench.app("a")])
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            caller.settings["upstreams"]["orders"]["listen"] = f"127.0.0.1:{port}"
            caller.write_settings()
            caller.reload()
            wait_until(lambda: f"{port}" in caller.json("/v1/status").get("config_problem", ""), 5,
                       lambda: f"the status says which port\n{caller.process.log_tail()}")
            self.assertIn("upstreams.orders.listen", caller.json("/v1/status")["config_problem"])
            self.assertIn(f"{port}", cli("status", "--admin", f"127.0.0.1:{caller.admin}").stdout)
            other.close()
            wait_until(lambda: "config_problem" not in caller.json("/v1/status"), 10,
                       lambda: f"the port is open\n{caller.process.log_tail()}")
            self.assertEqual(http_client.call(port, "orders").status, 200)

    def test_a_key_that_needs_a_restart_says_so(self):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")])
            caller.settings["proxy"]["workers"] = 2
            caller.write_settings()
            caller.reload()
            wait_until(lambda: any("workers" in line and "restart" in line for line in caller.process.log_text().splitlines()), 5,
                       lambda: f"the log says so\n{caller.process.log_tail()}")


class ColdStart(unittest.TestCase):
    def test_a_caller_starts_from_its_view_on_disk_without_a_quorum(self):
        with Ring() as ring:
            self.assertEqual(http_client.call(ring.caller.outbound, "orders").status, 200)
            for app, sidecar in zip(ring.apps[:2], ring.sidecars[:2]):
                app.kill()
                sidecar.kill()
            ring.caller.kill()
            ring.caller.start().wait_ready()
            # What is left of the ring still has a leader until its election timeout has passed.
            wait_until(lambda: ring.caller.get("/readyz").json()["ring"] == "stale", 3, "the caller knows that its view is stale")
            self.assertEqual(len(ring.caller.endpoints("orders")), 3)
            answers = [http_client.call(ring.caller.outbound, "orders") for _ in range(20)]
            self.assertEqual({(answer.status, answer.headers["x-instance"]) for answer in answers}, {(200, ring.apps[2].name)})

    def test_a_whole_ring_comes_back_from_disk_with_its_history(self):
        with Ring() as ring:
            birth, zxid = ring.caller.ring()["birth_id"], int(ring.leader().ring()["applied_zxid"], 16)
            for sidecar in ring.sidecars:
                sidecar.kill()
            for sidecar in ring.sidecars:
                sidecar.start()
            leader = ring.leader(timeout=15)
            self.assertEqual(leader.ring()["birth_id"], birth)
            self.assertGreaterEqual(int(leader.ring()["applied_zxid"], 16), zxid)
            ring.caller.wait_up("orders", 3)
