"""sidecar/README.md names every error, header and metric of the code, and none that is not there. (config's keys: a test of config.)"""
import re

import shape
from tree import without_comments

_README = "sidecar/README.md"
# What is searched: in the code's string literals, and in the README below a heading with this word.
_METRIC = re.compile(r"ringside_[a-z][a-z0-9_]*[a-z0-9]")
_HEADER = re.compile(r"x-ringside-[a-z]+")
_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def _section(text, word):
    """What stands below the headings that have the word in them, up to the next heading of the same depth or less."""
    out, depth = [], 0
    for line in text.splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        if heading and (not depth or len(heading.group(1)) <= depth):
            depth = len(heading.group(1)) if word in heading.group(2).lower() else 0
        elif depth:
            out.append(line)
    return "\n".join(out)


def _literals(tree):
    found = set()
    for path in tree.cpp("sidecar"):
        found |= set(re.findall(r'"((?:\\.|[^"\\\n])*)"', without_comments(tree.text(path))))
    return found


def _causes(tree):
    """The literals of the function that turns a cause into its word: the one with no_endpoints and breaker_open in it.
    `unknown` stands behind its switch and is never shown."""
    for path in tree.cpp("sidecar"):
        source = without_comments(tree.text(path))
        if '"no_endpoints"' in source and '"breaker_open"' in source:
            lines = source.splitlines()
            for first, last in shape.functions(source):
                body = "\n".join(lines[first - 1:last])
                if '"no_endpoints"' in body and '"breaker_open"' in body:
                    return set(re.findall(r'"([a-z][a-z_]+)"', body)) - {"unknown"}
    return set()


def sidecar_words(tree):
    """Both ways."""
    if _README not in tree.paths:
        return [f"{_README} is missing: it names every error, header and metric"]
    text, literals = tree.text(_README), _literals(tree)
    first_words = set(re.findall(r"^\|\s*`([a-z][a-z_]+)`", _section(text, "error"), re.MULTILINE))
    pairs = (
        ("error", _causes(tree), first_words),
        ("header", {word for one in literals for word in _HEADER.findall(one)}, set(_HEADER.findall(_section(text, "header")))),
        ("metric", {one for one in literals if _METRIC.fullmatch(one)},
         {_SUFFIX.sub("", word) for word in _METRIC.findall(_section(text, "metric"))}),
    )
    problems = []
    for kind, in_code, in_readme in pairs:
        if not in_code:
            problems.append(f"sidecar: no {kind} found in the code")
        problems += [f"{_README}: the {kind} {word} is not in it" for word in sorted(in_code - in_readme)]
        problems += [f"{_README}: there is no {kind} {word} in the code" for word in sorted(in_readme - in_code)]
    return problems
