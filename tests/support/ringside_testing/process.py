"""A child process with a log file, started and ended by its own pid; it dies with the test that started it."""
import ctypes
import os
import signal
import subprocess
import time

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One program. Start it from the main thread: the kernel ends it together with the thread that started it."""

    def __init__(self, name, command, log_path, env=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = log_path
        self.env = env
        self._child = None

    @property
    def pid(self):
        return self._child.pid

    def start(self):
        if self.running():
            raise RuntimeError(f"{self.name} is already running")
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env={**os.environ, **(self.env or {})}, preexec_fn=_die_with_parent,
                                           start_new_session=True)  # Ctrl-C is for us, who then stop it
        return self

    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self):
        return None if self._child is None else self._child.poll()

    def signal(self, number):
        os.kill(self._child.pid, number)

    def terminate(self):
        """SIGTERM, without waiting."""
        if self.running():
            self._child.terminate()

    def kill(self):
        """kill -9, then reaped."""
        if self.running():
            self._child.kill()
        if self._child is not None:
            self._child.wait()

    def stop(self, timeout=40.0):
        """SIGTERM, then its exit code; one that does not end in time is killed and that is an error."""
        if not self.running():
            return self.exit_code
        self._child.terminate()
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM\n{self.log_tail()}") from None

    def log_text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=15):
        return f"--- end of {self.log_path}:\n" + "\n".join(self.log_text().splitlines()[-lines:])

    def rss_kib(self):
        return self._memory("VmRSS:")

    def reset_peak_rss_kib(self):
        """From here on peak_rss_kib counts; gives what it has now."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as clear:
            clear.write("5")
        return self.rss_kib()

    def peak_rss_kib(self):
        return self._memory("VmHWM:")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _memory(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(name):
                    return int(line.split()[1])
        raise RuntimeError(f"{self.name} has no memory: it ended")


def wait_until(condition, timeout, what, interval=0.02):
    """Polls until condition() is true and gives what it gave; AssertionError with the last state after timeout."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)
