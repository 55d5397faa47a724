"""The stages of tests/run, one after the other; none of them hides the rest. See tests/run for the arguments."""
import argparse
import concurrent.futures
import os
import sys
import time

import build
import rooms
from tally import JOBS, ROOT, SUPPORT, Stage, Tally, run, run_counted

_PYTHON = "/usr/bin/python3"
# seeds: simulated; fuzz: seconds per target; sanitized: presets beside release
_QUICK = dict(seeds=100, fuzz=0, sanitized=(), lint="quick")
_NORMAL = dict(seeds=5000, fuzz=20, sanitized=("asan", "tsan"), lint=None)
_FULL = dict(seeds=20000, fuzz=300, sanitized=("asan", "tsan"), lint="all")
_SANITIZED_SEEDS = 200
_FIRST_SEED = 1
_WIRE_PROXY = "wire_proxy"
_COST_PROXY, _COST_TABLE = "cost_proxy", "cost_table"
# The load of the drills and the app behind it (tests/drills/load).
_DRILL_PROGRAMS = ["drill_load", "drill_app"]
# The ring with its switchable bugs (coord/mutant.h).
_MUTANTS = "sim_mutants"
_MUTANT_SEEDS = "tests/sim/mutants/seeds.txt"
_TSAN_SUPPRESSIONS = os.path.join(ROOT, "tests", "runner", "tsan_suppressions.txt")
# Runs again under asan: everything that feeds it bad input from outside.
_ASAN_INTEGRATION = ("test_bad_config", "test_cli", "test_lifecycle", "test_proxy")


class Run:
    def __init__(self, choice, plan):
        self.choice, self.plan, self.tally = choice, plan, Tally()
        self.built = {}

    def targets(self, preset):
        """What the chosen stages need of a preset."""
        tests = [test.target for test in self.chosen_tests(preset)]
        if preset == "fuzz":
            return list(rooms.fuzz_sources()) if self.choice.stage("fuzz") else []
        wants = self.choice.stage
        programs = []
        if any(wants(stage) for stage in ("integration", "drills", "wire")) and self.has_main():
            programs.append("ringside")
        if wants("drills") and preset == "release":
            programs += _DRILL_PROGRAMS
        if wants("sim") and preset != "tsan":
            programs += rooms.sim_programs()
            if preset == "release" and self.plan is not _QUICK:
                programs.append(_MUTANTS)
        if (wants("wire") and preset != "tsan") or (self.wants_differential() and preset == "release"):
            programs.append(_WIRE_PROXY)
        if self.wants_cost() and preset == "release":
            programs += [_COST_PROXY, _COST_TABLE]
        return programs + tests

    @staticmethod
    def has_main():
        return os.path.exists(f"{ROOT}/sidecar/main.cc")

    def chosen_tests(self, preset):
        if preset == "fuzz":
            return []
        return [test for test in rooms.unit_tests()
                if self.choice.unit(test) and (preset != "tsan" or rooms.is_threaded(test))]

    def build(self, preset):
        targets = self.targets(preset)
        self.built[preset] = []
        # The lint wants the compile commands, built or not.
        if targets or (preset == "release" and self.choice.stage("lint")):
            with Stage(f"build {preset}"):
                if build.configure(self.tally, preset) and targets:
                    self.built[preset] = build.build(self.tally, preset, targets)

    def lint(self):
        if not self.choice.stage("lint"):
            return
        with Stage("lint"):
            run_counted(self.tally, "lint of the tree", [_PYTHON, "tests/lint/run.py", *([f"--{self.plan['lint']}"] if self.plan["lint"] else [])], 3600)
            self.python_file(os.path.join(ROOT, "tests", "lint", "test_lint.py"), "lint", {})

    def unit(self, preset):
        tests = [test for test in self.chosen_tests(preset) if test.target in self.built[preset]]
        if not tests:
            return
        with Stage(f"unit tests, {preset}"), concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for future in [pool.submit(self.unit_test, preset, test) for test in tests]:
                future.result()

    def unit_test(self, preset, test):
        program = os.path.join(build.folder(preset), test.target)
        env = {"TSAN_OPTIONS": f"suppressions={_TSAN_SUPPRESSIONS}"} if preset == "tsan" else None
        run_counted(self.tally, f"{test.room} ({preset})", [program, "--no-colors=true"], 300, env)

    def sim(self, preset, seeds):
        programs = rooms.sim_programs()
        if not self.choice.stage("sim") or not programs:
            return
        if not set(programs) <= set(self.built.get(preset, ())):
            return  # counted where it did not build
        with Stage(f"simulation, {preset}"):
            command = ["tests/sim/run", "--seeds", str(seeds), "--from", str(_FIRST_SEED)]
            began = time.monotonic()
            code, output = run(command, 3000, {"SIM_BUILD": preset})
            self.tally.add(f"{seeds} seeds ({preset})", int(code == 0), int(code != 0), time.monotonic() - began, output)
            if code == 0 and output.strip():
                print("\n".join(f"      {line}" for line in output.strip().splitlines()[-2:]), flush=True)

    def mutants(self):
        """Known bugs are found: by their recorded seeds, with --full by a new search. And users get none of them."""
        if not self.choice.stage("sim") or _MUTANTS not in self.built["release"]:
            return  # counted where it did not build
        program = os.path.join(build.folder("release"), _MUTANTS)
        with Stage("simulation with known bugs"):
            command = ["--search"] if self.plan is _FULL else ["--replay", _MUTANT_SEEDS]
            run_counted(self.tally, "bugs brought back are found", [program, *command, "--threads", str(JOBS)], 3 * 3600)
            users = [os.path.join(build.folder("release"), name) for name in ("ringside", "sim") if name in self.built["release"]]
            run_counted(self.tally, "no bug can be brought back in what users get", [_PYTHON, "tests/sim/mutants/absent.py", *users], 60)

    def wire(self, preset):
        if not self.choice.stage("wire"):
            return
        if _WIRE_PROXY not in self.built.get(preset, ()):
            return  # counted where it did not build
        with Stage(f"wire, {preset}"):
            run_counted(self.tally, f"wire scripts ({preset})",
                        [_PYTHON, "tests/wire/run", "--proxy", os.path.join(build.folder(preset), _WIRE_PROXY)], 900)

    def wants_differential(self):
        return self.choice.stage("differential") and self.plan is not _QUICK

    def differential(self):
        if not self.wants_differential() or _WIRE_PROXY not in self.built["release"]:
            return  # counted where it did not build
        with Stage("differential"):
            run_counted(self.tally, "Ringside beside HAProxy and nginx",
                        [_PYTHON, "tests/differential/run", "--proxy", os.path.join(build.folder("release"), _WIRE_PROXY)], 300)

    def wants_cost(self):
        return self.choice.stage("cost") and self.plan is not _QUICK

    def cost(self):
        if not self.wants_cost() or not {_COST_PROXY, _COST_TABLE} <= set(self.built["release"]):
            return  # counted where it did not build
        with Stage("cost"):
            run_counted(self.tally, "instructions per exchange",
                        [_PYTHON, "tests/cost/run", "--program", os.path.join(build.folder("release"), _COST_PROXY), "--jobs", str(JOBS)], 600)

    def fuzz(self):
        targets = self.built["fuzz"]
        if targets:
            with Stage("fuzz"), concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
                for future in [pool.submit(self.fuzz_one, target) for target in targets]:
                    future.result()

    def fuzz_one(self, target):
        """What it finds stands in build/fuzz/corpus, as an artifact named in its output."""
        began, seconds = time.monotonic(), self.plan["fuzz"]
        corpus = os.path.join(build.folder("fuzz"), "corpus", target)
        os.makedirs(corpus, exist_ok=True)
        command = [os.path.join(build.folder("fuzz"), target), f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10",
                   f"-artifact_prefix={corpus}/", corpus, *rooms.fuzz_corpora(target)]
        code, output = run(command, seconds + 120)
        self.tally.add(f"{target} for {seconds} s", int(code == 0), int(code != 0), time.monotonic() - began, output)

    def python_file(self, path, label, env, timeout=600):
        name = f"{label}/{os.path.splitext(os.path.basename(path))[0]}"
        run_counted(self.tally, name, [_PYTHON, "-m", "ringside_testing.run_file", path], timeout, {"PYTHONPATH": SUPPORT, **env})

    def python_stage(self, stage, preset="release", only=None):
        """The Python tests of a folder against the binary of a preset."""
        def wanted(name):
            return (only is None or name in only) and not (self.plan is _QUICK and name in rooms.WITH_PEERS)

        files = [path for path in rooms.python_files(stage)
                 if self.choice.file(stage, path) and wanted(os.path.splitext(os.path.basename(path))[0])]
        if not files or "ringside" not in self.built.get(preset, ()):
            if files and self.has_main():
                self.tally.add(f"{stage} ({preset}): no binary to test", 0, len(files), 0.0)
            return
        env = {"RINGSIDE_BINARY": os.path.join(build.folder(preset), "ringside")}
        if preset == "asan":
            # What asan keeps of freed memory (256 MB by itself) is no growth of ours.
            env["ASAN_OPTIONS"] = "quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
        if self.plan is _FULL:
            env["RINGSIDE_FULL"] = "1"
        with Stage(f"{stage}, {preset}"):
            for path in files:
                self.python_file(path, stage, env, timeout=3600 if self.plan is _FULL else 600)

    def all(self):
        self.build("release")
        self.lint()
        self.unit("release")
        self.wire("release")
        self.differential()
        self.cost()
        self.python_stage("integration")
        self.sim("release", self.plan["seeds"])
        if self.plan is not _QUICK:
            self.mutants()
            self.python_stage("drills")
        for preset in self.plan["sanitized"]:
            self.build(preset)
            self.unit(preset)
        if "asan" in self.plan["sanitized"]:
            self.sim("asan", _SANITIZED_SEEDS)
            self.wire("asan")
            self.python_stage("integration", "asan", _ASAN_INTEGRATION)
        if self.plan["fuzz"]:
            self.build("fuzz")
            self.fuzz()


def main():
    parser = argparse.ArgumentParser(prog="tests/run", add_help=False)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true")
    mode.add_argument("--full", action="store_true")
    parser.add_argument("room", nargs="*")
    arguments = parser.parse_args()
    choice = rooms.Choice(arguments.room)
    if choice.unknown():
        parser.error(f"no room, stage or test is called {', '.join(choice.unknown())}")
    began = time.monotonic()
    job = Run(choice, _QUICK if arguments.quick else _FULL if arguments.full else _NORMAL)
    job.all()
    tally = job.tally
    print(f"== all ({time.monotonic() - began:.0f} s)")
    for name in tally.failures:
        print(f"failed: {name}")
    print(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
