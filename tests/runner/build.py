"""Configuring and building one preset; a target that does not build fails alone."""
import os
import time

from tally import JOBS, ROOT, run

_TIMEOUT_SECONDS = 2400
_CONFIGURE_EXTRA = {
    # The fuzzers want clang; not a preset, since only this script uses it. GCC's own stable_sort calls what C++ has deprecated.
    "fuzz": ["-S", ".", "-B", "build/fuzz", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_COMPILER=clang-19",
             "-DCMAKE_CXX_COMPILER=clang++-19", "-DRINGSIDE_FUZZ=ON", "-DRINGSIDE_SANITIZE=address,undefined,fuzzer-no-link",
             "-DCMAKE_CXX_FLAGS=-Wno-deprecated-declarations"],
}


def folder(preset):
    return os.path.join(ROOT, "build", preset)


def configure(tally, preset):
    """True when the preset is configured with tests; a failure is counted."""
    began = time.monotonic()
    arguments = _CONFIGURE_EXTRA.get(preset, ["--preset", preset])
    code, output = run(["cmake", *arguments, "-DRINGSIDE_TESTS=ON"], 300)
    if code != 0:
        tally.add(f"configure {preset}", 0, 1, time.monotonic() - began, output)
    return code == 0


def build(tally, preset, targets):
    """Builds the targets; gives those that are there now. Each that is not counts as one failure."""
    base = ["cmake", "--build", folder(preset), "-j", str(JOBS)]
    began = time.monotonic()
    code, output = run([*base, "--target", *targets, "--", "-k", "0"], _TIMEOUT_SECONDS)
    if code == 0:
        print(f"  built {preset}: {', '.join(targets)} ({time.monotonic() - began:.0f} s)", flush=True)
        return list(targets)
    print("\n".join("      " + line for line in errors_of(output)), flush=True)
    built = []
    for target in targets:  # what is up to date costs nothing; the rest says which target it is that fails
        began = time.monotonic()
        if run([*base, "--target", target], _TIMEOUT_SECONDS)[0] == 0:
            built.append(target)
        else:
            tally.add(f"build {preset} {target}", 0, 1, time.monotonic() - began)
    return built


def errors_of(output, limit=120):
    """The lines of a build's output that say what went wrong."""
    lines = output.splitlines()
    kept = [i for i, line in enumerate(lines) if "error" in line.lower() or line.startswith("FAILED")]
    shown = sorted({near for i in kept for near in range(i, min(i + 4, len(lines)))})
    return [lines[i] for i in shown][:limit] or lines[-40:]
