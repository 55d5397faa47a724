#!/usr/bin/python3
"""absent.py PROGRAM...: nothing of coord/mutant.h is in a program that users get, and only the code it breaks asks it.

Ends with `N passed, N failed`.
"""
import os
import re
import subprocess
import sys

_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
_HEADER = "coord/mutant.h"
# Switches of one file; more would say that it is written for its bugs.
_MOST_IN_A_FILE = 12


def in_programs(programs):
    problems = []
    for program in programs:
        symbols = subprocess.run(["nm", "--demangle", program], capture_output=True, text=True, check=True).stdout
        problems += [f"{program}: {line}" for line in symbols.splitlines() if re.search(r"\bmutants?\b|\bMutant\b|\bmutated\b", line)]
    return problems


def in_sources():
    """The switch that turns them on stands in the header and in the build of the one program alone."""
    problems = []
    for folder, _, files in os.walk(_ROOT):
        relative = os.path.relpath(folder, _ROOT)
        if relative.startswith(("build", ".git")):
            continue
        for name in files:
            path = os.path.normpath(os.path.join(relative, name))
            if not name.endswith((".cc", ".h", ".txt", ".cmake", ".json")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                text = source.read()
            ours = path == _HEADER or path.startswith("tests/sim/mutants/")
            if "RINGSIDE_MUTANTS" in text and not ours:
                problems.append(f"{path}: names RINGSIDE_MUTANTS")
            switches = text.count("mutated(Mutant::")
            if switches and not path.startswith("coord/"):
                problems.append(f"{path}: asks for a mutant outside of coord")
            if switches > _MOST_IN_A_FILE:
                problems.append(f"{path}: {switches} switches")
    return problems


def main():
    checks = {"programs": in_programs(sys.argv[1:]), "sources": in_sources()}
    for name, problems in checks.items():
        print(f"{'FAIL' if problems else 'ok  '} {name}", *problems, sep="\n    ")
    failed = sum(bool(problems) for problems in checks.values())
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
