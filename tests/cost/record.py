"""expected.txt: what each case cost when somebody looked last, in one section for each compiler, processor and C library.

    [x86_64, gcc 12, glibc 2.36]
    get 22051 6.00
"""
import os

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.txt")


class Record:
    def __init__(self, path=_PATH):
        self._path = path
        self._comment, self._sections = [], {}
        section = None
        with open(path, encoding="utf-8") as text:
            for line in text.read().splitlines():
                if line.startswith("["):
                    section = self._sections.setdefault(line.strip("[]"), {})
                elif line.startswith("#"):
                    self._comment.append(line)
                elif line:
                    name, instructions, system_calls = line.split()
                    section[name] = (int(instructions), float(system_calls))

    def section(self, built):
        """{case: (instructions, system calls)}; None when nobody has recorded any for such a build."""
        return self._sections.get(built)

    def keep(self, built, counts):
        self._sections.setdefault(built, {}).update({count.case.name: (round(count.instructions), round(count.system_calls, 2))
                                                     for count in counts})
        with open(self._path, "w", encoding="utf-8") as text:
            text.write("\n".join(self._comment) + "\n")
            for section, cases in sorted(self._sections.items()):
                text.write(f"\n[{section}]\n")
                for name, (instructions, system_calls) in cases.items():
                    text.write(f"{name} {instructions} {system_calls:.2f}\n")
