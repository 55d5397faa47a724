"""cost_proxy under callgrind: started, told what to do by lines, ended; gives the profile of its worker's thread."""
import glob
import json
import os
import subprocess
import tempfile

import callgrind

# The plain variants of memcpy and the like, which every x86-64 machine has: else the count would depend on the processor.
TUNABLES = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2"
_WORKER = "02"  # threads by number; main() is the first


class CountedProxy:
    def __init__(self, program, port, options):
        self._folder = tempfile.TemporaryDirectory(prefix="ringside-cost-")
        self._errors = open(os.path.join(self._folder.name, "errors"), "w+", encoding="utf-8")
        command = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", "--collect-systime=yes",
                   "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={self._folder.name}/profile",
                   program, str(port), *options]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
                                       env={**os.environ, "GLIBCTUNABLES": TUNABLES})
        self.said = json.loads(self._answer())  # ports, and what it was built by

    def _answer(self):
        line = self._child.stdout.readline()
        if not line:
            self._child.wait()
            self._errors.seek(0)
            raise RuntimeError(f"cost_proxy ended: {self._errors.read()}")
        return line

    def ask(self, command):
        self._child.stdin.write(command + "\n")
        self._child.stdin.flush()
        if self._answer() != "ok\n":
            raise RuntimeError(f"cost_proxy does not know {command}")

    def end(self):
        """The profile of the worker's thread: callgrind writes it when the program ends."""
        self._child.stdin.close()
        self._child.wait(60)
        return callgrind.Profile(self._file_of(_WORKER))

    def _file_of(self, thread):
        path = os.path.join(self._folder.name, f"profile-{thread}")
        if not os.path.exists(path):
            raise RuntimeError(f"callgrind wrote no profile of thread {thread}: {sorted(os.listdir(self._folder.name))}")
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()
        self._errors.close()
        self._folder.cleanup()
