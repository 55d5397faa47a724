"""The files of the repository as the rules see them."""
import os
import re
import subprocess

_GENERATED = {"build", ".cache"}


class Tree:
    """Root and the paths below it (with '/', sorted): what git knows or would add, else every file."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self._texts = {}
        if os.path.exists(os.path.join(self.root, ".git")):
            # Root in a user's clone is no stranger here.
            listing = subprocess.run(["git", "-c", f"safe.directory={self.root}", "-C", self.root, "ls-files", "-z", "--cached",
                                      "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
            paths = [path for path in listing.split("\0") if path]
        else:
            paths = []
            for folder, folders, names in os.walk(self.root):
                folders[:] = [name for name in folders if name not in _GENERATED or folder != self.root]
                paths += [os.path.relpath(os.path.join(folder, name), self.root) for name in names]
        self.paths = sorted({path for path in paths if os.path.isfile(os.path.join(self.root, path))})

    def text(self, path):
        """The file's text; '' for what is not text."""
        if path not in self._texts:
            with open(os.path.join(self.root, path), "rb") as file:
                raw = file.read()
            self._texts[path] = "" if b"\0" in raw else raw.decode("utf-8", "replace")
        return self._texts[path]

    def cpp(self, *folders):
        """The C++ files, of some folders or of all."""
        return [path for path in self.paths if path.endswith((".h", ".cc"))
                and (not folders or path.startswith(tuple(folder + "/" for folder in folders)))]


_TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)"""
    r"""|(?P<raw>R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<number>\b\d[\w']*)"""
    r"""|(?P<char>'(?:\\.|[^'\\\n])+')""", re.DOTALL)


def without_comments(source, strings=True):
    """The source with comments blanked, and with string contents blanked too if `strings` is false; lines stay where they are."""
    def blank(match):
        kind = match.lastgroup if match.lastgroup != "tag" else "raw"
        whole = match.group(0)
        if kind == "comment":
            return re.sub(r"[^\n]", " ", whole)
        if kind in ("raw", "text", "char") and not strings:
            return '""' + re.sub(r"[^\n]", "", whole)
        return whole
    return _TOKEN.sub(blank, source)


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(source):
    """(line, quoted, path) of each include."""
    plain = without_comments(source)
    return [(plain.count("\n", 0, match.start()) + 1, match.group(1) == '"', match.group(2))
            for match in _INCLUDE.finditer(plain)]
