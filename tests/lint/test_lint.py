"""Each rule of the lint finds what it is for, in a tiny tree that breaks it, and leaves alone what is right."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import documents  # noqa: E402
import layers  # noqa: E402
import run  # noqa: E402
import shape  # noqa: E402
import tools  # noqa: E402
from tree import Tree  # noqa: E402

HEADER = "// What it is.\n#pragma once\n"


def tree(files):
    """A tree of these files in a folder that goes away with the test."""
    folder = tempfile.TemporaryDirectory()
    for path, text in files.items():
        full = os.path.join(folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(text.encode() if isinstance(text, str) else text)
    made = Tree(folder.name)
    made.folder = folder
    return made


class LintTest(unittest.TestCase):
    def finds(self, rule, files, *words):
        """The rule reports exactly one problem per word, each of which stands in its problem."""
        problems = rule(tree(files))
        self.assertEqual(len(problems), len(words), problems)
        for word, problem in zip(words, problems):
            self.assertIn(word, problem)

    def passes(self, rule, files):
        self.assertEqual(rule(tree(files)), [])


class Layers(LintTest):
    def test_an_include_upwards_is_found(self):
        files = {"config/a.h": HEADER + '#include "balancer/b.h"\n', "balancer/b.h": HEADER}
        self.finds(layers.direction, files, "config/a.h:3: config may not include balancer")

    def test_coord_and_balancer_stay_apart(self):
        files = {"coord/a.cc": '#include "balancer/b.h"\n', "balancer/b.h": HEADER, "balancer/c.cc": '#include "coord/d.h"\n',
                 "coord/d.h": HEADER}
        self.finds(layers.direction, files, "balancer may not include coord", "coord may not include balancer")

    def test_the_proxy_knows_no_coord(self):
        files = {"sidecar/proxy/a.cc": '#include "coord/d.h"\n', "coord/d.h": HEADER}
        self.finds(layers.direction, files, "sidecar/proxy may not include coord")

    def test_no_room_includes_tests(self):
        files = {"sidecar/app/a.cc": '#include "tests/sim/d.h"\n', "tests/sim/d.h": HEADER}
        self.finds(layers.direction, files, "may not include tests")

    def test_an_include_by_a_short_path_is_found(self):
        files = {"config/a.cc": '#include "b.h"\n', "config/b.h": HEADER}
        self.finds(layers.direction, files, "is no file")

    def test_an_unknown_room_is_found(self):
        self.finds(layers.direction, {"sidecar/magic/a.cc": "\n"}, "no known room")

    def test_downwards_is_right_and_comments_do_not_count(self):
        files = {"sidecar/discovery/a.cc": '#include "coord/d.h"\n#include "balancer/b.h"\n', "coord/d.h": HEADER,
                 "balancer/b.h": HEADER + '// #include "coord/d.h"\n/*\n#include "coord/d.h"\n*/\n',
                 "sidecar/main.cc": '#include "sidecar/cli/c.h"\n', "sidecar/cli/c.h": HEADER}
        self.passes(layers.direction, files)

    def test_libuv_stays_in_its_rooms(self):
        files = {"sidecar/proxy/a.cc": "#include <uv.h>\n", "sidecar/net/b.cc": "#include <uv.h>\n", "tests/unit/c.cc": "#include <uv.h>\n"}
        self.finds(layers.libraries, files, "sidecar/proxy may not use <uv.h>")

    def test_a_library_out_of_place_is_found(self):
        files = {"coord/a.cc": "#include <yaml-cpp/yaml.h>\n#include <vector>\n#include <fmt/core.h>\n", "config/b.cc": "#include <boost/x.hpp>\n"}
        self.finds(layers.libraries, files, "<boost/x.hpp>", "coord may not use")

    def test_impurity_is_found(self):
        bad = {"#include <thread>": "<thread>", "#include <sys/socket.h>": "<sys/socket.h>", "#include <atomic>": "<atomic>",
               "auto t = std::chrono::steady_clock::now();": "::now", "std::random_device d;": "random_device", "int x = rand();": "rand",
               "auto e = std::getenv(\"A\");": "getenv", "std::mutex m;": "std::mutex", "std::this_thread::sleep_for(x);": "sleep_for",
               "int s = ::socket(1, 2, 3);": "socket"}
        for line, word in bad.items():
            with self.subTest(line):
                self.finds(layers.purity, {"coord/a.cc": line + "\n"}, word)

    def test_impurity_is_found_in_each_pure_room(self):
        for room in layers.PURE:
            with self.subTest(room):
                self.finds(layers.purity, {f"{room}/a.cc": "std::thread t;\n"}, room)

    def test_purity_leaves_alone_what_is_pure(self):
        text = '// now() is std::thread\nconst char* a = "rand()";\nint x = grand(1) + rng.rand(2);\nvoid step(Instant now);\n'
        self.passes(layers.purity, {"coord/a.cc": text, "balancer/b.cc": "#include <atomic>\n", "sidecar/net/c.cc": "std::thread t;\n"})

    def test_the_lock_behind_the_limits_is_the_only_one(self):
        text = "#include <mutex>\nstd::mutex m;\n"
        self.passes(layers.purity, {"balancer/limits/a.cc": text})
        self.finds(layers.purity, {"balancer/pick.cc": text}, "<mutex>", "std::mutex")
        self.finds(layers.purity, {"balancer/limits/a.cc": "std::thread t;\n"}, "std::thread")

    def test_check_in_a_header_is_found(self):
        line = '#include "config/base/check.h"\n'
        files = {"coord/a.h": HEADER + line, "coord/a.cc": line, "tests/unit/t.cc": line + "#include <doctest/doctest.h>\n",
                 "tests/sim/s.cc": line}
        self.finds(layers.check_header, files, "coord/a.h", "tests/unit/t.cc")


class Shape(LintTest):
    def test_a_stranger_at_the_top_is_found(self):
        self.finds(shape.top_level, {"utils/a.cc": "", "notes.txt": "", "README.md": "", ".ci/run": "", "coord/a.cc": ""}, "notes.txt", "utils")

    def test_a_path_of_a_machine_is_found(self):
        for path in ("/home/me/x", "/Users/me", "/root/y"):
            with self.subTest(path):
                self.finds(shape.machine_paths, {"deploy/demo": f"cd {path}\n"}, path)
        self.passes(shape.machine_paths, {"a.md": "at/home/now; see ./root/x\n"})

    def test_a_test_name_that_is_no_rule_is_found(self):
        files = {"tests/unit/a.cc": 'TEST_CASE("half open admits one") {}\nTEST_CASE("HalfOpenAdmitsOneProbe") {}\n'}
        self.finds(shape.test_names, files, "half open")

    def test_a_rule_without_a_test_is_found(self):
        named = "".join(f'TEST_CASE("D{rule}IsKept") {{}}\n' for rule in range(1, 19) if rule != 7)
        self.finds(shape.rules_have_tests, {"tests/unit/a.cc": named}, "D7")
        self.passes(shape.rules_have_tests, {"tests/unit/a.cc": named + "// D7\n"})

    def test_a_header_that_does_not_say_what_it_is_is_found(self):
        self.finds(shape.headers_open, {"coord/a.h": "#pragma once\n", "coord/b.h": "// b\n"}, "opens with", "pragma once")
        self.passes(shape.headers_open, {"coord/a.h": HEADER})

    def test_a_long_file_is_found(self):
        self.finds(shape.file_sizes, {"coord/a.cc": "\n" * 501, "coord/b.cc": "\n" * 500}, "coord/a.cc: 501")
        self.assertEqual(len(shape.long_files(tree({"coord/a.cc": "\n" * 351, "coord/a.h": "\n" * 250}))), 1)

    def test_a_long_function_is_found(self):
        body = "  call();\n" * 69
        long_ones = {
            "plain": f"void f(int a) {{\n{body}}}\n",
            "method": f"namespace a {{\nclass B : public C {{\n  int g() const noexcept override {{\n{body}  }}\n}};\n}}\n",
            "constructor": f"A::A(int x) : a_{{x}}, b_{{1}} {{\n{body}}}\n",
            "returns": f"auto h(int x) -> std::vector<int> {{\n{body}}}\n",
            "operator": f"bool operator==(const A& a) {{\n{body}}}\n",
            "nested": f'void f() {{\n  auto l = [&](int x) {{\n{body}  }};\n  const char* s = "}}";\n}}\n',
            "raw string": f'void f() {{\n  x = R"(}}}})";\n{body}}}\n',
            "test": f'TEST_CASE("A") {{\n{body}}}\n',
        }
        for name, text in long_ones.items():
            with self.subTest(name):
                self.finds(shape.function_sizes, {"coord/a.cc": text}, "a function of 7")

    def test_short_functions_and_long_tables_are_right(self):
        short = "void f() {\n" + "  call();\n" * 68 + "}\n"
        table = "constexpr std::array<int, 100> kTable = {\n" + "  1,\n" * 100 + "};\n"
        kind = "enum class E {\n" + "  kA,\n" * 100 + "};\nstruct S {\n" + "  int f() { return 1; }\n" * 100 + "};\n"
        self.passes(shape.function_sizes, {"coord/a.cc": short + table + kind + short})


class Documents(LintTest):
    CODE = ('const char* to_string(Cause c) {\n  switch (c) {\n    case A: return "no_endpoints";\n    default: return "breaker_open";\n  }\n}\n'
            'auto a = "x-ringside-error";\nauto b = "ringside_ring_epoch";\n')
    README = ("# Sidecar\n## Errors\n| cause | status |\n| `no_endpoints` | 503 |\n| `breaker_open` | 503 |\n"
              "## Headers\n`x-ringside-error`\n## Metrics\n`ringside_ring_epoch`\n## Other\n`ringside_else`\n")

    def test_what_agrees_passes(self):
        self.passes(documents.sidecar_words, {"sidecar/a.cc": self.CODE, "sidecar/README.md": self.README})

    def test_an_undocumented_word_is_found(self):
        for word, row in (("no_endpoints", "| `no_endpoints` | 503 |\n"), ("x-ringside-error", "`x-ringside-error`\n"),
                          ("ringside_ring_epoch", "`ringside_ring_epoch`\n")):
            with self.subTest(word):
                self.finds(documents.sidecar_words, {"sidecar/a.cc": self.CODE, "sidecar/README.md": self.README.replace(row, "")},
                           f"{word} is not in it")

    def test_a_word_that_is_not_in_the_code_is_found(self):
        more = self.README.replace("## Headers\n", "| `overflow` | 503 |\n## Headers\n`x-ringside-load`\n").replace(
            "## Metrics\n", "## Metrics\n`ringside_nothing_total{a}`\n")
        self.finds(documents.sidecar_words, {"sidecar/a.cc": self.CODE, "sidecar/README.md": more},
                   "no error overflow", "no header x-ringside-load", "no metric ringside_nothing_total")

    def test_a_missing_readme_is_found(self):
        self.finds(documents.sidecar_words, {"sidecar/a.cc": self.CODE}, "missing")


class Tools(LintTest):
    def test_a_misformatted_file_is_found(self):
        files = {".clang-format": "BasedOnStyle: Google\n", "coord/a.cc": "int  a ;\n", "coord/b.cc": "int b;\n"}
        self.finds(tools.formatting, files, "coord/a.cc")

    def with_commands(self, files):
        """A tree with a compile command for each of its sources, as CMake would write it."""
        made = tree(files)
        commands = [{"file": os.path.join(made.root, path), "directory": made.root,
                     "command": f"/usr/bin/ccache /usr/bin/c++ -I{made.root} -std=c++23 -Wall -Werror -O2 -o x.o -c {path}"}
                    for path in made.paths if path.endswith(".cc")]
        os.makedirs(os.path.join(made.root, "build/release"))
        with open(os.path.join(made.root, "build/release/compile_commands.json"), "w", encoding="utf-8") as out:
            json.dump(commands, out)
        return made

    def test_a_header_that_needs_another_is_found(self):
        files = {"coord/a.cc": "int a;\n", "coord/good.h": HEADER + "#include <string>\ninline std::string f() { return {}; }\n",
                 "coord/bad.h": HEADER + "inline std::string f() { return {}; }\n"}
        problems = tools.headers_alone(self.with_commands(files))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("coord/bad.h", problems[0])

    def test_an_ignored_result_is_found(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".clang-tidy"), encoding="utf-8") as config:
            rules = config.read()
        text = "#include <expected>\n#include <string>\nstd::expected<int, std::string> f() { return 1; }\n"
        ignored = text + "void g() { f(); }\n"
        looked_at = text + "int h() { return f().value_or(0); }\n"
        problems = tools.tidy(self.with_commands({".clang-tidy": rules, "coord/a.cc": ignored, "coord/b.cc": looked_at}))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("bugprone-unused-return-value", problems[0])


class Whole(unittest.TestCase):
    def test_every_rule_has_a_test_here(self):
        with open(os.path.abspath(__file__), encoding="utf-8") as me:
            text = me.read()
        for name, rule in run.ALL.items():
            self.assertIn(f"{rule.__module__}.{rule.__name__}", text, name)
