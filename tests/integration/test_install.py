"""What is installed stands where Debian expects it, and the settings that the documents show are settings that Ringside takes."""
import glob
import os
import re
import subprocess
import tempfile
import unittest

from ringside_testing.sidecar import REPOSITORY, binary, cli

_INSTALLED = ("usr/bin/ringside", "usr/lib/systemd/system/ringside.service", "usr/share/doc/ringside/examples/ringside.yaml",
              "usr/share/doc/ringside/two-machines.md", "usr/share/doc/ringside/README.md")


class Install(unittest.TestCase):
    def test_binary_unit_and_example_stand_where_debian_expects_them(self):
        with tempfile.TemporaryDirectory() as root:
            done = subprocess.run(["cmake", "--install", os.path.dirname(binary())], env={**os.environ, "DESTDIR": root},
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for path in _INSTALLED:
                self.assertTrue(os.path.isfile(os.path.join(root, path)), f"{path} in\n{done.stdout}")
            version = subprocess.run([os.path.join(root, "usr/bin/ringside"), "version"], capture_output=True, check=False)
            self.assertEqual(version.returncode, 0)
            example = os.path.join(root, "usr/share/doc/ringside/examples/ringside.yaml")
            self.assertEqual(cli("check", example).returncode, 0)


class Documents(unittest.TestCase):
    def test_the_settings_that_they_show_are_taken(self):
        shown = 0
        for path in [os.path.join(REPOSITORY, "README.md"), *glob.glob(os.path.join(REPOSITORY, "deploy", "*.md"))]:
            with open(path, encoding="utf-8") as text:
                blocks = re.findall(r"^```yaml\n(.*?)^```", text.read(), re.MULTILINE | re.DOTALL)
            for number, block in enumerate(blocks, 1):
                with self.subTest(f"{os.path.relpath(path, REPOSITORY)}, block {number}"), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(block)
                    file.flush()
                    done = cli("check", file.name)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                shown += 1
        self.assertGreaterEqual(shown, 3)
