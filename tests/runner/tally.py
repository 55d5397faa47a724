"""What passed and what failed, and running a program whose output is shown only when it failed."""
import os
import re
import signal
import subprocess
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SUPPORT = os.path.join(ROOT, "tests", "support")
_SHOWN_LINES = 200
JOBS = int(os.environ.get("RINGSIDE_JOBS") or os.cpu_count() or 1)  # compilers and unit tests at a time


class Tally:
    """Counts tests; safe from several threads."""

    def __init__(self):
        self.passed = 0
        self.failures = []  # one name per failed test
        self._lock = threading.Lock()

    def add(self, name, passed, failed, took, output=""):
        """One program or check that held `passed` and `failed` tests; its output is printed if one failed."""
        with self._lock:
            self.passed += passed
            self.failures += [name] * failed
            count = f"{passed} passed" + (f", {failed} failed" if failed else "")
            print(f"  {'FAIL' if failed else 'ok  '}  {name}: {count} ({took:.1f} s)", flush=True)
            if failed and output:
                print("\n".join("      " + line for line in _telling(output)), flush=True)


_OF_A_PASSED_TEST = re.compile(r"\s*ok\s")


def _telling(output):
    """The lines that say what failed: without those of tests that passed, and the last ones if there are many."""
    lines = [line for line in output.rstrip("\n").splitlines() if not _OF_A_PASSED_TEST.match(line)]
    if len(lines) > _SHOWN_LINES:
        lines = [f"... {len(lines) - _SHOWN_LINES} lines before these"] + lines[-_SHOWN_LINES:]
    return lines


def run(command, timeout, env=None, cwd=ROOT):
    """The program's exit code (124: it was ended after timeout) and output. It and its children end with us."""
    child = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**os.environ, **(env or {})}, start_new_session=True)
    try:
        output, _ = child.communicate(timeout=timeout)
        return child.returncode, output.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        _end_group(child)
        output, _ = child.communicate()
        return 124, output.decode("utf-8", "replace") + f"\nended after {timeout} s\n"
    except BaseException:
        _end_group(child)
        child.wait()
        raise


def _end_group(child):
    try:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            pass
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all of them ended by themselves


_LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed\s*$", re.MULTILINE)
_DOCTEST = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")


def counts(code, output):
    """(passed, failed) by what the program printed; a bad exit without a failed test counts as one, and so does no test."""
    found = _LAST_LINE.findall(output)
    if found:
        passed, failed = map(int, found[-1])
    else:
        match = _DOCTEST.search(output)
        passed, failed = (int(match.group(2)), int(match.group(3))) if match else (0, 0)
    if failed == 0 and (code != 0 or passed == 0):
        failed = 1
    return passed, failed


def run_counted(tally, name, command, timeout, env=None):
    began = time.monotonic()
    code, output = run(command, timeout, env)
    passed, failed = counts(code, output)
    if code != 0:
        output += f"\nexit code {code}"
    tally.add(name, passed, failed, time.monotonic() - began, output)


class Stage:
    """with Stage("unit tests"): ... prints the title, then how long it took."""

    def __init__(self, title):
        self.title = title

    def __enter__(self):
        print(f"== {self.title}", flush=True)
        self._began = time.monotonic()
        return self

    def __exit__(self, *_):
        print(f"== {self.title} ({time.monotonic() - self._began:.0f} s)", flush=True)
