"""Bad settings files: `check` ends with 2 and says file, line, column and something helpful; `run` refuses them as well."""
import glob
import os
import re
import tempfile
import unittest

from ringside_testing.sidecar import REPOSITORY, cli

# What is wrong: (file, 1-based line of the problem, words that the sentence must have).
_BAD = {
    "unknown key": (b"proxy:\n  outbond: 127.0.0.1:4140\n", 2, ("outbond", "outbound")),
    "wrong type": (b"proxy:\n  workers: many\n", 2, ("workers", "many")),
    "out of range": (b"service:\n  name: orders\n  address: 127.0.0.1:80\n  weight: 1001\n", 4, ("weight", "1000")),
    "duplicate key": (b"admin:\n  listen: 127.0.0.1:1\nadmin:\n  listen: 127.0.0.1:2\n", 3, ("admin",)),
    "bad address": (b"service:\n  name: orders\n  address: 127.0.0.1:99999\n", 3, ("address", "99999")),
    "tab": (b"proxy:\n\tworkers: 2\n", 2, ("tab",)),
    "empty": (b"", 1, ("empty",)),
    "binary": (b"proxy:\n  \xff\xfe\x00\x01: 2\n", 2, ("UTF-8",)),
    "10 MB": (b"# " + b"x" * (10 << 20) + b"\n", 1, ("MiB",)),
    "alias": (b"defaults: &d {balance: round_robin}\nupstreams:\n  payments: *d\n", 1, ("alias",)),
    "two documents": (b"admin: {listen: 127.0.0.1:1}\n---\nadmin: {listen: 127.0.0.1:2}\n", 2, ("document",)),
    "no TLS off loopback": (b"ring:\n  advertise: 10.0.0.5:4150\n  voters: [\"1@10.0.0.5:4150\", \"2@10.0.0.6:4150\", \"3@10.0.0.7:4150\"]\n",
                            None, ("tls", "insecure")),
    "unknown policy": (b"defaults:\n  balance: round_robbin\n", 2, ("round_robbin", "round_robin")),
    "duplicate voter id": (b"ring:\n  listen: 127.0.0.1:1\n  advertise: 127.0.0.1:1\n  voters: [\"1@127.0.0.1:1\", \"1@127.0.0.1:2\"]\n",
                           4, ("voter", "1")),
    "not in this version": (b"defaults:\n  balance: maglev\n", 2, ("not in this version",)),
}


class BadConfig(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def file(self, content):
        path = os.path.join(self.folder, "bad.yaml")
        with open(path, "wb") as out:
            out.write(content)
        return path

    def said(self, done, path):
        """The (line, column, sentence) of each problem; the exit code must be 2."""
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, 2, text)
        found = re.findall(rf"{re.escape(path)}:(\d+):(\d+):\s*(.+)", text)
        self.assertTrue(found, text)
        return [(int(line), int(column), sentence) for line, column, sentence in found]

    def test_each_kind_is_refused_with_its_place_and_a_sentence(self):
        self.assertEqual(len(_BAD), 15)
        for name, (content, line, words) in _BAD.items():
            with self.subTest(name):
                path = self.file(content)
                problems = self.said(cli("check", path), path)
                if line is not None:
                    self.assertIn(line, [at for at, _, _ in problems])
                sentences = " ".join(sentence for _, _, sentence in problems)
                for word in words:
                    self.assertIn(word.lower(), sentences.lower())
                self.assertGreater(len(sentences), 15)

    def test_run_refuses_what_check_refuses(self):
        path = self.file(_BAD["unknown key"][0])
        self.said(cli("run", "-c", path), path)

    def test_all_problems_are_said_at_once(self):
        path = self.file(b"proxy:\n  workers: many\n  outbond: 1\nadmin:\n  listen: nowhere\n")
        self.assertGreaterEqual({line for line, _, _ in self.said(cli("check", path), path)}, {2, 3, 5})

    def test_the_files_of_the_unit_tests_are_refused_too(self):
        files = sorted(glob.glob(os.path.join(REPOSITORY, "tests", "unit", "config", "bad", "*.yaml")))
        self.assertTrue(files, "no files in tests/unit/config/bad")
        for path in files:
            with self.subTest(path):
                self.said(cli("check", path), path)

    def test_a_file_that_is_not_there_is_refused(self):
        done = cli("check", os.path.join(self.folder, "none.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("none.yaml", done.stdout + done.stderr)

    def test_a_good_file_passes(self):
        done = cli("check", self.file(b"service:\n  name: orders\n  address: 127.0.0.1:8080\n"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_annotated_example_passes(self):
        done = cli("check", os.path.join(REPOSITORY, "deploy", "ringside.yaml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
