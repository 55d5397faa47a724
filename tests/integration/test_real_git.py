"""git through two sidecars to nginx with git's own HTTP backend: clone, push, pull, and a shallow clone."""
import os
import random
import subprocess
import unittest

from ringside_testing.pair import Pair
from ringside_testing.process import wait_until

_FILES = 40
_FILE_BYTES = 100_000  # random: git cannot make them small, and a push is chunked


class RealGit(unittest.TestCase):
    def git(self, pair, *arguments, cwd=None):
        env = {**os.environ, "HOME": pair.folder, "http_proxy": pair.proxy, "no_proxy": "", "GIT_TERMINAL_PROMPT": "0",
               "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "drill", "GIT_AUTHOR_EMAIL": "drill@example.org",
               "GIT_COMMITTER_NAME": "drill", "GIT_COMMITTER_EMAIL": "drill@example.org"}
        done = subprocess.run(["git", *arguments], cwd=cwd or pair.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def commit(self, pair, tree, draw, name):
        for number in range(_FILES):
            with open(os.path.join(tree, f"{name}-{number}"), "wb") as out:
                out.write(draw.randbytes(_FILE_BYTES))
        self.git(pair, "add", ".", cwd=tree)
        self.git(pair, "commit", "-q", "-m", name, cwd=tree)

    def test_clone_push_and_fetch(self):
        draw = random.Random(9418)
        with Pair("code") as pair:
            found = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
            wrapper = pair.process("fcgiwrap", ["fcgiwrap", "-s", f"unix:{pair.folder}/fcgi"])
            wait_until(lambda: os.path.exists(f"{pair.folder}/fcgi"), 10, lambda: f"fcgiwrap listens\n{wrapper.log_tail()}")
            os.makedirs(f"{pair.folder}/git")
            pair.nginx(git_backend=os.path.join(found, "git-http-backend"))
            pair.join()
            bare = f"{pair.folder}/git/project.git"
            self.git(pair, "init", "-q", "--bare", "-b", "main", bare)
            self.git(pair, "config", "http.receivepack", "true", cwd=bare)

            url = f"http://{pair.service}/git/project.git"
            first, second, third = (f"{pair.folder}/{name}" for name in ("first", "second", "third"))
            self.git(pair, "clone", "-q", url, first)
            self.commit(pair, first, draw, "one")
            self.git(pair, "push", "-q", "origin", "HEAD:main", cwd=first)
            self.git(pair, "clone", "-q", url, second)
            self.commit(pair, first, draw, "two")
            self.git(pair, "push", "-q", "origin", "HEAD:main", cwd=first)
            self.git(pair, "pull", "-q", cwd=second)
            self.git(pair, "clone", "-q", "--depth", "1", url, third)
            heads = {self.git(pair, "rev-parse", "HEAD", cwd=tree) for tree in (first, second, third)}
            self.assertEqual(len(heads), 1)
            self.git(pair, "fsck", "--strict", cwd=second)
            self.assertEqual(pair.errors(), 0)
