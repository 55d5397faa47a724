#!/usr/bin/python3
"""Holds the tree to the rules of the house.

    tests/lint/run.py [--quick|--all] [--root DIR]

--quick: what needs no configured build. Default: also that every header compiles alone. --all: also clang-tidy on every
file, which takes a quarter of an hour.
Prints each breach as file:line: what, and ends with `N passed, N failed`, a rule being one.
"""
import argparse
import os
import sys
import time

import documents
import layers
import shape
import tools
from tree import Tree

QUICK = {
    "includes go down only": layers.direction,
    "libraries where they belong": layers.libraries,
    "pure rooms are pure": layers.purity,
    "check.h in sources only": layers.check_header,
    "formatting": tools.formatting,
    "headers say what they are": shape.headers_open,
    "top level": shape.top_level,
    "no path of one machine": shape.machine_paths,
    "file sizes": shape.file_sizes,
    "function sizes": shape.function_sizes,
    "test names are rules": shape.test_names,
}
NORMAL = {**QUICK, "rules D1 to D18 have tests": shape.rules_have_tests,
          "errors, headers and metrics are documented": documents.sidecar_words,
          "headers compile alone": tools.headers_alone}
ALL = {**NORMAL, "clang-tidy": tools.tidy}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for mode, rules in (("--quick", QUICK), ("--all", ALL)):
        parser.add_argument(mode, dest="rules", action="store_const", const=rules)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    arguments = parser.parse_args()
    tree = Tree(arguments.root)
    failed = 0
    rules = arguments.rules or NORMAL
    for name, rule in rules.items():
        began = time.monotonic()
        problems = rule(tree)
        print(f"{'FAIL' if problems else 'ok  '} {name} ({time.monotonic() - began:.1f} s)")
        for problem in problems:
            print(f"    {problem}")
        failed += bool(problems)
    for note in shape.long_files(tree):
        print(f"note {note}")
    print(f"{len(rules) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
