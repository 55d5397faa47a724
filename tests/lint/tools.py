"""The rules that need a compiler or a formatter; each works on many files at once."""
import concurrent.futures
import json
import os
import shlex
import subprocess
import tempfile

_CLANG_FORMAT = "clang-format-19"
_CLANG_TIDY = "clang-tidy-19"


def _parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [problem for problems in pool.map(function, items) for problem in problems]


def formatting(tree):
    """clang-format would change nothing."""
    def check(chunk):
        done = subprocess.run([_CLANG_FORMAT, "--dry-run", "-Werror", *chunk], cwd=tree.root, capture_output=True, text=True, check=False)
        files = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
        problems = [f"{file}: not as {_CLANG_FORMAT} -i would write it" for file in files]
        return problems or ([done.stderr.strip()] if done.returncode else [])
    files = tree.cpp()
    return _parallel(check, [files[at:at + 20] for at in range(0, len(files), 20)])


def _compile_commands(tree, build):
    path = os.path.join(tree.root, build, "compile_commands.json")
    if not os.path.exists(path):
        raise SystemExit(f"no {path}: configure it first (cmake --preset {os.path.basename(build)})")
    with open(path, encoding="utf-8") as file:
        commands = json.load(file)
    return {os.path.relpath(entry["file"], tree.root): entry for entry in commands}


def _flags(entry):
    """Compiler and flags of a command without launcher, input, output and code generation."""
    words = shlex.split(entry["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    flags, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MF", "-MT"):
            skip = True
        elif not word.startswith(("-O", "-g", "-M")):
            flags.append(word)
    return flags


def headers_alone(tree, build="build/release"):
    """Each header compiles by itself, with the flags of the sources next to it."""
    commands = _compile_commands(tree, build)
    sources = sorted(commands)

    def neighbour(header):
        folder = os.path.dirname(header)
        while True:
            for source in sources:
                if source.startswith(folder + "/" if folder else ""):
                    return commands[source]
            folder = os.path.dirname(folder)

    def check(header):
        entry = neighbour(header)
        with tempfile.NamedTemporaryFile("w", suffix=".cc") as unit:
            unit.write(f'#include "{header}"\n')
            unit.flush()
            done = subprocess.run([*_flags(entry), "-fsyntax-only", unit.name], cwd=entry["directory"], capture_output=True,
                                  text=True, check=False)
        return [f"{header}: does not compile alone\n{done.stderr.strip()[:1500]}"] if done.returncode else []

    headers = [path for path in tree.cpp() if path.endswith(".h")]
    return _parallel(check, headers) if commands else ["no compile commands: configure the release preset first"]


def tidy(tree, build="build/release"):
    """clang-tidy with .clang-tidy: among others, a Result that nobody looks at."""
    sources = [path for path in _compile_commands(tree, build) if path.endswith(".cc") and path in tree.paths]

    def check(source):
        done = subprocess.run([_CLANG_TIDY, "--quiet", "-p", build, "--warnings-as-errors=*", source], cwd=tree.root,
                              capture_output=True, text=True, check=False)
        found = [line for line in done.stdout.splitlines() if " error: " in line or " warning: " in line]
        return found or ([f"{source}: clang-tidy failed: {(done.stdout + done.stderr).strip()[:500]}"] if done.returncode else [])

    return sorted(set(_parallel(check, sources)))
