"""Runs the unittest cases of one file: a line per test, what a failing one said, and `N passed, N failed` at the end.

    python3 -m ringside_testing.run_file FILE [PATTERN]      exit 0: all passed; 1: not, or the file could not be loaded
"""
import importlib.util
import os
import signal
import sys
import time
import unittest


class _Lines(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self._began = 0.0
        self._trouble = []
        self._succeeded = False

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self._trouble = []
        self._succeeded = False

    def addSuccess(self, test):
        super().addSuccess(test)
        self._succeeded = True

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._trouble.append(self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        if isinstance(test, unittest.TestCase):
            self._trouble.append(self.errors[-1][1])
        else:  # setUpClass and the like
            self.failed += 1
            print(f"  FAIL  {test}\n{self.errors[-1][1]}", flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._trouble.append(f"skipped ({reason}): a test that does not run proves nothing")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._trouble.append(f"{subtest}\n{self._exc_info_to_string(error, test)}")

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self._began
        name = test.id().split(".", 1)[1]
        if self._trouble or not self._succeeded:
            self.failed += 1
            print(f"  FAIL  {name} ({took:.1f} s)\n" + "\n".join(self._trouble or ["interrupted"]), flush=True)
        else:
            self.passed += 1
            print(f"  ok    {name} ({took:.1f} s)", flush=True)


def _interrupted(*_):
    raise KeyboardInterrupt  # so that what a test started and wrote is cleared away


def _heed_signals():
    """As from a terminal, also where we run behind nohup or in the background: who ignores a signal hands that on to what it starts."""
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # Python's own: restored in what it starts
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _interrupted)


def main(path, pattern=None):
    _heed_signals()
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [f"*{pattern}*"]
    result = _Lines()
    loader.loadTestsFromModule(module).run(result)
    if result.passed + result.failed == 0:
        print(f"  FAIL  {path} has no test" + (f" like {pattern}" if pattern else ""))
        result.failed = 1
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
