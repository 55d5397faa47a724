"""Who may include whom, and what: the direction of the rooms, their libraries, the purity of the pure ones."""
import re

from tree import includes, without_comments

PURE = ("config", "coord", "balancer", "sidecar/http")

# Rooms below the sidecar that a room may include, and its neighbours in the sidecar. What is not here is not allowed.
_EDGES = {
    "config": (),
    "coord": ("config",),
    "balancer": ("config",),
    "sidecar/http": ("config",),
    "sidecar/net": ("config",),
    "sidecar/metrics": ("config",),
    "sidecar/logging": ("config",),
    "sidecar/proxy": ("config", "balancer", "sidecar/http", "sidecar/net", "sidecar/metrics", "sidecar/logging"),
    "sidecar/peer": ("config", "coord", "sidecar/net", "sidecar/metrics", "sidecar/logging"),
    "sidecar/disk": ("config", "coord", "sidecar/net", "sidecar/metrics", "sidecar/logging"),
    "sidecar/health": ("config", "balancer", "sidecar/http", "sidecar/net", "sidecar/logging"),
    # The only translator between znodes and endpoints.
    "sidecar/discovery": ("config", "coord", "balancer", "sidecar/net", "sidecar/metrics", "sidecar/logging"),
    # Reads what the others publish; it calls none of them.
    "sidecar/admin": ("config", "coord", "balancer", "sidecar/metrics", "sidecar/logging"),
    # The wiring knows everybody; the command line knows the wiring.
    "sidecar/app": ("config", "coord", "balancer", "sidecar/http", "sidecar/net", "sidecar/metrics", "sidecar/logging",
                    "sidecar/proxy", "sidecar/peer", "sidecar/disk", "sidecar/health", "sidecar/discovery", "sidecar/admin"),
    "sidecar/cli": ("config", "sidecar/app", "sidecar/admin", "sidecar/logging"),
    "sidecar": ("sidecar/cli",),
}
_EVERYTHING = tuple(_EDGES) + ("tests",)

# Libraries by how their headers begin, and the rooms that may use them (doctest and the like: tests only).
_LIBRARIES = {
    "fmt/": ("config", "coord", "balancer", "sidecar"),
    "yaml-cpp/": ("config",),
    "llhttp.h": ("sidecar/http",),
    "uv.h": ("sidecar/net", "sidecar/disk", "sidecar/app"),
    "openssl/": ("sidecar/net",),
    "spdlog/": ("sidecar/logging",),
    "nlohmann/": ("sidecar/logging", "sidecar/discovery", "sidecar/admin", "sidecar/app", "sidecar/cli"),
    "prometheus/": ("sidecar/metrics",),
    "httplib.h": ("sidecar/admin", "sidecar/cli"),
    "CLI/": ("sidecar/cli",),
    "doctest/": ("tests",),
    "benchmark/": ("tests",),
    "zookeeper/": ("tests",),
    "valgrind/": ("tests",),
}

_IMPURE_HEADERS = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch", "barrier",
                   "stop_token", "random", "fstream", "iostream", "filesystem", "cstdio", "stdio.h", "ctime", "time.h",
                   "csignal", "signal.h", "netdb.h", "unistd.h", "fcntl.h", "poll.h", "pthread.h"}
_IMPURE_FOLDERS = ("sys/", "arpa/", "netinet/", "linux/", "net/")
_IMPURE_WORDS = re.compile(
    r"::now\s*\(|\brandom_device\b|\bstd::(?:thread|jthread|mutex|condition_variable|async)\b|\bsleep_(?:for|until)\b"
    r"|(?<![\w.>])(?:s?rand|getenv|usleep|nanosleep|sleep|gettimeofday|clock_gettime|system|fopen|socket)\s*\(")
# What a broken invariant prints before the process ends.
_IMPURE_EXEMPT = ("config/base/check.cc",)
# The queue behind a limit that is reached: the one lock of the pure rooms.
_LOCKED = "balancer/limits/"


def room_of(path):
    """The room of a file, or of an include path; None outside the rooms."""
    best = None
    for room in _EVERYTHING:
        if path.startswith(room + "/") and (best is None or len(room) > len(best)):
            best = room
    return best


def _within(room, allowed):
    return any(room == one or room.startswith(one + "/") for one in allowed)


def direction(tree):
    """Includes go down only, name their file from the root, and meet coord and balancer together in few places."""
    problems = []
    for path in tree.cpp(*_EDGES):
        room = room_of(path)
        if room not in _EDGES or (room == "sidecar" and path != "sidecar/main.cc"):
            problems.append(f"{path}: a file of no known room; the rooms are in tests/lint/layers.py")
            continue
        for line, quoted, target in includes(tree.text(path)):
            if not quoted:
                continue
            other = room_of(target)
            if target not in tree.paths:
                problems.append(f"{path}:{line}: \"{target}\" is no file; include by the path from the top")
            elif other != room and other not in _EDGES[room]:
                problems.append(f"{path}:{line}: {room} may not include {other}")
    return problems


def libraries(tree):
    """Each library only where the house allows it; the standard library everywhere."""
    problems = []
    for path in tree.cpp():
        room = room_of(path) or path.split("/")[0]
        for line, quoted, target in includes(tree.text(path)):
            if quoted:
                continue
            used = next((name for name in _LIBRARIES if target.startswith(name)), None)
            if used and room != "tests" and not _within(room, _LIBRARIES[used]):
                problems.append(f"{path}:{line}: {room} may not use <{target}> (tests/lint/layers.py says who may)")
            elif used is None and "/" in target and not target.startswith(_IMPURE_FOLDERS):
                problems.append(f"{path}:{line}: <{target}> belongs to no library that the house knows")
    return problems


def purity(tree):
    """The pure rooms do no I/O, read no clock, draw nothing at random, start and wait for no thread."""
    problems = []
    for path in tree.cpp(*PURE):
        if path in _IMPURE_EXEMPT:
            continue
        source = tree.text(path)
        locked = path.startswith(_LOCKED)
        for line, quoted, target in includes(source):
            if not quoted and (target in _IMPURE_HEADERS or target.startswith(_IMPURE_FOLDERS)) and not (locked and target == "mutex"):
                problems.append(f"{path}:{line}: <{target}> in a pure room")
            if not quoted and target == "atomic" and not path.startswith("balancer/"):
                problems.append(f"{path}:{line}: <atomic>: of the pure rooms only the balancer is shared by threads")
        for number, text in enumerate(without_comments(source, strings=False).splitlines(), 1):
            found = _IMPURE_WORDS.search(text.replace("std::mutex", "") if locked else text)
            if found:
                problems.append(f"{path}:{number}: `{found.group(0).strip()}` in a pure room")
    return problems


def check_header(tree):
    """check.h defines CHECK, which doctest has too: only .cc files include it, in tests only those that undefine CHECK again."""
    def allowed(path):
        return path.endswith(".cc") and (not path.startswith("tests/") or "\n#undef CHECK\n" in tree.text(path)
                                         or "doctest" not in tree.text(path))
    return [f"{path}:{line}: config/base/check.h is for .cc files without doctest only"
            for path in tree.cpp() for line, quoted, target in includes(tree.text(path))
            if quoted and target == "config/base/check.h" and not allowed(path)]
