"""The shape of files: sizes, names, what stands at the top, what a header opens with."""
import re

from tree import without_comments

TOP_FILES = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "CMakeLists.txt", "CMakePresets.json"}
TOP_FOLDERS = {"sidecar", "coord", "balancer", "config", "deploy", "tests"}
_FILE_LINES = 500
_FUNCTION_LINES = 70
# What one sitting reads; more is said, not refused.
_WARN_LINES = {".h": 250, ".cc": 350}
_MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:home|root|work|Users)/")
_RULES = range(1, 19)


def top_level(tree):
    """Nothing at the top but what the house names."""
    problems = []
    for entry in sorted({path.split("/")[0] for path in tree.paths}):
        is_folder = entry not in tree.paths
        if not entry.startswith(".") and entry not in (TOP_FOLDERS if is_folder else TOP_FILES):
            problems.append(f"{entry}: not among what may stand at the top level")
    return problems


def machine_paths(tree):
    """No path of one machine."""
    return [f"{path}:{number}: a path of one machine: {line.strip()[:100]}"
            for path in tree.paths if not path.startswith("tests/lint/")
            for number, line in enumerate(tree.text(path).splitlines(), 1) if _MACHINE_PATHS.search(line)]


def test_names(tree):
    """The name of a test is a rule: HalfOpenAdmitsOneProbe."""
    problems = []
    for path in tree.cpp("tests"):
        plain = without_comments(tree.text(path))
        for match in re.finditer(r'\bTEST_CASE(?:_FIXTURE|_TEMPLATE)?\s*\(\s*(?:\w+\s*,\s*)?"([^"]*)"', plain):
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]{5,}", match.group(1)):
                line = plain.count("\n", 0, match.start()) + 1
                problems.append(f'{path}:{line}: "{match.group(1)}" is no rule in PascalCase')
    return problems


def rules_have_tests(tree):
    """Each of the rules D1 to D18 of the ring is named by a test."""
    named = set()
    for path in tree.paths:
        if path.startswith("tests/") and path.endswith((".cc", ".py")) and not path.startswith(("tests/lint/", "tests/runner/")):
            named |= {int(number) for number in re.findall(r"(?<![A-Za-z0-9])D(\d{1,2})(?!\d)", tree.text(path))}
    return [f"tests/: no test names rule D{rule}" for rule in _RULES if rule not in named]


def headers_open(tree):
    """A header says what it is before anything else, and is included once."""
    problems = []
    for path in tree.cpp():
        if path.endswith(".h"):
            text = tree.text(path)
            if not text.startswith("//"):
                problems.append(f"{path}:1: a header opens with a comment that says what it is")
            if not re.search(r"^#pragma once$", text, re.MULTILINE):
                problems.append(f"{path}: no #pragma once")
    return problems


def file_sizes(tree):
    """No source over the limit; warnings for those past one sitting are in `long_files`."""
    return [f"{path}: {lines} lines, {_FILE_LINES} at most: split by noun or phase"
            for path in tree.paths if path.endswith((".h", ".cc", ".py")) and not path.startswith("tests/bench/")
            for lines in [tree.text(path).count("\n")] if lines > _FILE_LINES]


def long_files(tree):
    """Notes, not problems."""
    notes = []
    for path in tree.cpp():
        lines = tree.text(path).count("\n")
        limit = _WARN_LINES[path[path.rindex("."):]]
        if limit < lines <= _FILE_LINES:
            notes.append(f"{path}: {lines} lines, more than the {limit} that read in one sitting")
    return notes


def functions(source):
    """(first line, last line) of each function body, lambdas and local types counted with the function they stand in.

    By braces: a block is a function when it stands in namespaces and classes only and what leads up to it has a '(' of its own."""
    plain = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", without_comments(source, strings=False), flags=re.MULTILINE)
    found, stack = [], []   # of (is a scope, is a function, line)
    lead_from, after_function = 0, False
    line = 1
    for at, char in enumerate(plain):
        if char == "\n":
            line += 1
        elif char == "{":
            lead = plain[lead_from:at].strip()
            in_scope = all(scope for scope, _, _ in stack)
            scope = bool(re.match(r"(?:inline\s+)?namespace\b|extern\b\s*\"\"$", lead)) or bool(
                re.search(r"\b(?:class|struct|union|enum)\b[^()=]*$", lead) and not lead.endswith(")"))
            goes_on = after_function and (not lead or lead[0] in ",")
            is_function = in_scope and not scope and ("(" in lead and "=" not in re.sub(r"\(.*|operator\s*\S+|==", "", lead, flags=re.DOTALL)
                                                      or goes_on)
            stack.append((in_scope and scope, is_function, line))
            lead_from, after_function = at + 1, False
        elif char == "}" and stack:
            _, is_function, began = stack.pop()
            if is_function:
                found.append((began, line))
            lead_from, after_function = at + 1, is_function
        elif char == ";":
            lead_from, after_function = at + 1, False
    return found


def function_sizes(tree):
    """No function over the limit."""
    return [f"{path}:{first}: a function of {last - first + 1} lines, {_FUNCTION_LINES} at most"
            for path in tree.cpp() for first, last in functions(tree.text(path)) if last - first + 1 > _FUNCTION_LINES]
