"""The demo's ring: what runs, the endless mode and the story. Started by deploy/demo, which builds first."""
import fcntl
import os
import shutil
import signal
import sys
import time

_TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(_TOP, "tests", "support"))

from ringside_testing.load import OpenLoop, closed_loop  # noqa: E402
from ringside_testing.ports import free_port, is_free  # noqa: E402
from ringside_testing.process import wait_until  # noqa: E402
from ringside_testing.ring import AppProcess  # noqa: E402
from ringside_testing.sidecar import Sidecar  # noqa: E402

_FOLDER = os.path.join(_TOP, "build", "demo")
_RUN = os.path.join(_FOLDER, "run")
_CONTROL = os.path.join(_FOLDER, "control")
_SERVICE = "orders"
_INSTANCES = 3
_STORY_SECONDS = 100


def _port(preferred):
    """The port that the documentation names, or another where that one is taken."""
    return preferred if is_free(preferred) else free_port()


class Demo:
    def __init__(self):
        shutil.rmtree(_RUN, ignore_errors=True)
        shutil.rmtree(_CONTROL, ignore_errors=True)
        os.makedirs(_RUN)
        os.makedirs(_CONTROL)
        rings = [_port(4151 + i) for i in range(_INSTANCES)]
        voters = [f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(rings)]
        self.apps = [AppProcess(f"{_SERVICE}-{i + 1}", _RUN, _port(8081 + i)) for i in range(_INSTANCES)]
        self.sidecars = [self._voter(i, rings[i], voters) for i in range(_INSTANCES)]
        self.caller = Sidecar("caller", _RUN, {
            "ring": self._ring(_port(4150), voters, "caller"),
            "proxy": {"outbound": f"127.0.0.1:{_port(4140)}", "inbound": "off"},
            "upstreams": {_SERVICE: {"balance": "round_robin"}},
            "admin": {"listen": f"127.0.0.1:{_port(4191)}"}})
        self.things = {thing.name: thing for thing in [*self.apps, *self.sidecars, self.caller]}

    @staticmethod
    def _ring(port, voters, name):
        return {"listen": f"127.0.0.1:{port}", "advertise": f"127.0.0.1:{port}", "voters": voters,
                "data_dir": os.path.join(_RUN, f"{name}.data")}

    def _voter(self, i, ring_port, voters):
        name = f"sidecar-{i + 1}"
        return Sidecar(name, _RUN, {
            "service": {"name": _SERVICE, "address": f"127.0.0.1:{self.apps[i].port}",
                        "health_check": {"http": "/healthz", "interval": "500ms"}},
            "ring": self._ring(ring_port, voters, name),
            "proxy": {"outbound": f"127.0.0.1:{_port(4171 + i)}", "inbound": f"127.0.0.1:{_port(4161 + i)}"},
            "admin": {"listen": f"127.0.0.1:{_port(4192 + i)}"}})

    def start(self):
        for thing in self.things.values():
            thing.start()
        for sidecar in [*self.sidecars, self.caller]:
            sidecar.wait_ready(30)
        self.caller.wait_up(_SERVICE, _INSTANCES, 30)

    def stop(self):
        """Ends everything: the polite way first, all at once, then by force."""
        running = [thing.process for thing in self.things.values() if thing.process.running()]
        for process in running:
            process.signal(signal.SIGTERM)
        end = time.monotonic() + 8
        for process in running:
            while process.running() and time.monotonic() < end:
                time.sleep(0.05)
            process.kill()

    def leader(self):
        """(the leader's name, its epoch) as the living sidecars agree, or None."""
        for sidecar in [*self.sidecars, self.caller]:
            state = sidecar.try_(sidecar.ring) if sidecar.process.running() else None
            if state and state["role"] == "leading" and state["quorum"]:
                return sidecar.name, state["epoch"]
        return None

    def restart(self, name):
        thing = self.things[name]
        thing.kill()
        thing.start()


def describe(demo):
    """Where to look and what to break, with the ports and pids of this run."""
    def row(*cells):
        print("  " + "".join(f"{cell:<{width}}" for cell, width in zip(cells, (12, 10, 26, 14, 14, 10))))

    out, admin = demo.caller.outbound, demo.caller.admin
    ringside = "build/release/ringside"
    at = "" if admin == 4191 else f" --admin 127.0.0.1:{admin}"
    print(f"\nRingside demo: three instances of `{_SERVICE}`, a sidecar beside each (they form the ring), one caller\n")
    row("app", "pid", "address", "sidecar", "pid", "admin page")
    for app, sidecar in zip(demo.apps, demo.sidecars):
        row(app.name, app.process.pid, f"http://127.0.0.1:{app.port}", sidecar.name, sidecar.pid, f"http://127.0.0.1:{sidecar.admin}/")
    row("", "", "", demo.caller.name, demo.caller.pid, f"http://127.0.0.1:{admin}/")
    print(f"""
Call the service as an app does, through its own sidecar:
  curl -H 'Host: {_SERVICE}' http://127.0.0.1:{out}/
  curl -x http://127.0.0.1:{out} http://{_SERVICE}/
  curl http://127.0.0.1:{out}/svc/{_SERVICE}/
Look:
  {ringside} status{at}
  {ringside} endpoints {_SERVICE}{at}
  {ringside} ring{at}
  curl http://127.0.0.1:{admin}/metrics
  settings and logs: {os.path.relpath(_RUN, _TOP)}/*.yaml *.log
Break it, from another terminal:
  kill -9 {demo.apps[0].process.pid:<8}   # an app                 back: ./deploy/demo restart {demo.apps[0].name}
  kill -9 {demo.sidecars[1].pid:<8}   # a sidecar              back: ./deploy/demo restart {demo.sidecars[1].name}
  curl 'http://127.0.0.1:{demo.apps[2].port}/control/status?status=500'   # answers 500 until its breaker opens; 200 mends it
Ctrl-C here stops everything.
""", flush=True)


def obey(demo):
    """Carries out what `deploy/demo restart NAME` left in the control folder."""
    for name in sorted(os.listdir(_CONTROL)):
        os.unlink(os.path.join(_CONTROL, name))
        demo.restart(name)
        thing = demo.things[name]
        print(f"          restarted {name}, pid {thing.process.pid}", flush=True)


def endless(demo):
    describe(demo)
    dead = set()
    with OpenLoop(demo.caller.outbound, _SERVICE, rate=50) as load:
        while True:
            time.sleep(1)
            obey(demo)
            for name, thing in demo.things.items():
                if thing.process.running():
                    dead.discard(name)
                elif name not in dead:
                    dead.add(name)
                    print(f"          {name} has ended; back with: ./deploy/demo restart {name}", flush=True)
            results = load.take()
            bad = results.failed()
            shares = "  ".join(f"{app.name} {results.per_instance()[app.name]:>3}" for app in demo.apps)
            leader = demo.leader()
            print(f"{time.strftime('%H:%M:%S')}  ok {len(results) - len(bad):>3}  failed {len(bad)}   {shares}   "
                  f"leader: {leader[0] + ', epoch ' + str(leader[1]) if leader else 'none'}"
                  f"{'   ' + repr(bad[0]) if bad else ''}", flush=True)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def answers_of(load, app, count, seconds):
    """Waits until `app` has answered `count` requests from now on."""
    began = time.monotonic()
    wait_until(lambda: load.results.since(began).per_instance()[app.name] >= count, seconds, lambda: f"{app.name} takes traffic again: "
               f"{load.results.since(began).summary()}")
    return time.monotonic() - began


def watch(load, seconds):
    """Lets the traffic run for a while and holds it to 0 failed; gives what came back."""
    began = time.monotonic()
    time.sleep(seconds)
    results = load.results.since(began)
    check(results and not results.failed(), f"calls failed: {results.summary()} {results.failed()[:3]}")
    return results


def story(demo):
    """The steps of --once, each a text and a check."""
    def say(text):
        print(f"ok  {text}", flush=True)

    name, epoch = wait_until(demo.leader, 10, "a leader")
    say(f"the ring has formed: {name} leads in epoch {epoch}; the caller sees {len(demo.caller.up(_SERVICE))} instances of {_SERVICE}")

    results = closed_loop(demo.caller.outbound, _SERVICE, connections=10, requests=300)
    shares = sorted(results.per_instance().values())
    check(not results.failed() and len(shares) == _INSTANCES and shares[-1] - shares[0] <= 2, f"uneven: {results.summary()}")
    say(f"300 calls through the caller's sidecar, balanced: {dict(sorted(results.per_instance().items()))}")

    with OpenLoop(demo.caller.outbound, _SERVICE, rate=100) as load:
        watch(load, 1)
        victim = demo.apps[0]
        pid = victim.process.pid
        victim.kill()
        results = watch(load, 4)
        check(results.since(results[-1].at - 1).per_instance()[victim.name] == 0, "the dead app still answers")
        say(f"kill -9 {pid} ({victim.name}): {len(results)} calls, 0 failed")

        victim.start()
        say(f"{victim.name} is back and takes traffic after {answers_of(load, victim, 10, 15):.1f} s")

        before, epoch = demo.leader()
        leading = demo.things[before]
        pid, began = leading.pid, time.monotonic()
        leading.kill()
        after, new_epoch = wait_until(demo.leader, 10, "a new leader")
        took = time.monotonic() - began
        check(after != before and new_epoch > epoch, f"{after} in epoch {new_epoch} after {before} in epoch {epoch}")
        results = watch(load, 4)
        say(f"kill -9 {pid} ({before}, the leader): {after} leads after {took:.2f} s in epoch {new_epoch}; {len(results)} calls, 0 failed")

        leading.start().wait_ready(15)
        wait_until(lambda: (demo.caller.try_(demo.caller.ring) or {}).get("quorum"), 10, "a quorum")
        demo.caller.wait_up(_SERVICE, _INSTANCES, 20)
        watch(load, 1)
        say(f"{before} is back in the ring")
        bad = load.stop().failed()
        check(not bad, f"{len(bad)} of {len(load.results)} calls failed: {bad[:3]}")
        say(f"all in all {len(load.results)} calls under load, 0 failed")


def lock_folder():
    """Holds the demo's folder until this process ends; None when another demo holds it."""
    os.makedirs(_FOLDER, exist_ok=True)
    lock = open(os.path.join(_FOLDER, "lock"), "w", encoding="ascii")  # pylint: disable=consider-using-with
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        lock.close()
        return None


def ask_restart(name):
    known = [f"{_SERVICE}-{i + 1}" for i in range(_INSTANCES)] + [f"sidecar-{i + 1}" for i in range(_INSTANCES)] + ["caller"]
    if name not in known:
        sys.exit(f"{name} is none of {', '.join(known)}")
    if lock_folder() or not os.path.isdir(_CONTROL):
        sys.exit("no demo is running here: ./deploy/demo starts it")
    with open(os.path.join(_CONTROL, name), "w", encoding="ascii"):
        print(f"asked the running demo to restart {name}")


def over(number, _):
    if number == signal.SIGALRM:
        raise AssertionError(f"the story took more than {_STORY_SECONDS} s")
    raise KeyboardInterrupt


def main(arguments):
    if arguments[:1] == ["restart"]:
        if len(arguments) != 2:
            sys.exit("usage: deploy/demo restart NAME")
        return ask_restart(arguments[1])
    lock = lock_folder()
    if not lock:
        sys.exit("another demo runs from this folder")
    once = arguments == ["--once"]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, over)
    demo = Demo()
    try:
        if once:
            signal.alarm(_STORY_SECONDS)
        demo.start()
        if not once:
            endless(demo)
        story(demo)
        signal.alarm(0)
        return 0
    except KeyboardInterrupt:
        print("\nstopping everything", flush=True)
        return 130 if once else 0
    except (AssertionError, RuntimeError, OSError) as error:
        print(f"FAILED  {error}\nlogs and settings: {_RUN}", file=sys.stderr, flush=True)
        return 1
    finally:
        signal.alarm(0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what was started is ended, however impatient one is
        demo.stop()
        shutil.rmtree(_CONTROL, ignore_errors=True)
        lock.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
