"""What there is to test, found by looking, and which of it a ROOM argument means."""
import glob
import os
import re

from tally import ROOT

STAGES = ("lint", "unit", "sim", "fuzz", "wire", "differential", "cost", "integration", "drills")
# Needs other people's programs: left out by --quick.
WITH_PEERS = ("test_prometheus", "test_real_clients", "test_real_git", "test_real_servers", "test_real_streams",
              "test_real_tcp", "test_real_websocket")
# Where more than one thread meets: these run under the thread sanitizer too.
THREADED = ("balancer", "proxy", "metrics", "logging", "net", "disk", "admin", "app")


class UnitTest:
    def __init__(self, room, target):
        self.room = room      # flat: coord_zab tests coord/zab, http tests sidecar/http
        self.target = target  # test_NAME


def flat(room):
    """How a room is called under tests/unit: coord/zab is coord_zab, sidecar/http is http; all of sidecar is sidecar."""
    return room.removeprefix("sidecar/").replace("/", "_")


def within(room, outer):
    """The (flat) room is the outer one or a part of it."""
    if outer == "sidecar":
        return not any(within(room, pure) for pure in ("config", "coord", "balancer"))
    return room == outer or room.startswith(f"{outer}_")


def unit_tests():
    found = []
    tests = os.path.join(ROOT, "tests")
    for path in sorted(glob.glob(f"{tests}/unit/**/CMakeLists.txt", recursive=True) + glob.glob(f"{tests}/sim/*/CMakeLists.txt")):
        folder = os.path.relpath(os.path.dirname(path), tests).removeprefix("unit/")
        with open(path, encoding="utf-8") as text:
            for name in re.findall(r"^\s*ringside_test\(\s*(\w+)", text.read(), re.MULTILINE):
                found.append(UnitTest(flat(folder), f"test_{name}"))
    return found


def fuzz_sources():
    """{fuzz_NAME: the path of NAME_fuzz.cc}"""
    return {"fuzz_" + os.path.basename(path).removesuffix("_fuzz.cc"): path
            for path in sorted(glob.glob(f"{ROOT}/tests/fuzz/**/*_fuzz.cc", recursive=True))}


def fuzz_corpora(target):
    """The folders with first inputs for a fuzz program: NAME_corpus beside its source, or corpus in a folder of its own."""
    folder, name = os.path.dirname(fuzz_sources()[target]), target.removeprefix("fuzz_")
    own = [] if folder == f"{ROOT}/tests/fuzz" else [f"{folder}/corpus"]
    return [path for path in [f"{folder}/{name}_corpus", *own] if os.path.isdir(path)]


def sim_programs():
    """The programs of tests/sim, which tests/sim/run starts out of the build folder $RINGSIDE_BUILD."""
    path = f"{ROOT}/tests/sim/CMakeLists.txt"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as text:
        return re.findall(r"^\s*add_executable\(\s*(\w+)", text.read(), re.MULTILINE)


def python_files(stage):
    pattern = "drill_*.py" if stage == "drills" else "test_*.py"
    return sorted(glob.glob(os.path.join(ROOT, "tests", stage, pattern)))


class Choice:
    """The ROOM arguments: everything, or some stages, rooms and files."""

    def __init__(self, arguments):
        self.arguments = [argument.rstrip("/").removeprefix("tests/") for argument in arguments]
        self.all = not arguments

    def stage(self, name):
        """The stage as a whole, or a file of it, is wanted."""
        if name == "unit":
            return self.all or any(self.unit(test) for test in unit_tests())
        return self.all or any(argument == name or argument.startswith(f"{name}/") for argument in self.arguments)

    def unit(self, test):
        return self.all or any(argument in ("unit", f"unit/{test.room}", test.target) or within(test.room, flat(argument))
                               for argument in self.arguments)

    def file(self, stage, path):
        stem = os.path.splitext(os.path.basename(path))[0]
        return self.all or any(argument in (stage, f"{stage}/{stem}", f"{stage}/{stem}.py") for argument in self.arguments)

    def unknown(self):
        """The arguments that mean nothing."""
        tests = unit_tests()
        bad = []
        for argument in self.arguments:
            one = Choice([argument])
            means = argument in STAGES or any(one.unit(test) for test in tests) or any(
                one.file(stage, path) for stage in STAGES for path in python_files(stage))
            if not means:
                bad.append(argument)
        return bad


def is_threaded(test):
    return any(within(test.room, room) for room in THREADED)
