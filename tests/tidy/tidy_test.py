#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py finds what it is for, and lets pass what it should."""
import pathlib
import tempfile
import unittest

import tidy


def rules_broken(files, aside=("dead-header", "license")):
    """The rules that a tree made of {name: text} breaks, those put aside apart."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return sorted({rule for _, _, rule, _ in tidy.findings(root)} - set(aside))


def broken_by(name, line):
    return rules_broken({name: line + "\n"})


class TidyTest(unittest.TestCase):
    def test_layering(self):
        self.assertEqual(broken_by("bedplate/http/a.cc", '#include "bedplate/sql/database.h"'), ["layering"])
        self.assertEqual(broken_by("bedplate/base/a.cc", '#include "services/identity/api.h"'), ["layering"])
        self.assertEqual(broken_by("bedplate/misc/a.cc", "int x;"), ["layering"])

    def test_a_room_links_what_it_includes(self):
        include = '#include "bedplate/base/result.h"\n'
        build = {"bedplate/async/CMakeLists.txt": "bedplate_library(async LINK bedplate_base)\n",
                 "bedplate/http/CMakeLists.txt": "bedplate_library(http LINK bedplate_async)\n"}
        self.assertEqual(rules_broken({"bedplate/http/a.cc": include, **build}), [])
        self.assertEqual(rules_broken({"bedplate/http/a.cc": include}), ["layering"])

    def test_doors(self):
        self.assertEqual(broken_by("apps/tasks/a.cc", '#include "services/identity/store.h"'), ["doors"])
        self.assertEqual(broken_by("apps/tasks/a.cc", '#include "services/identity/api.h"'), [])
        self.assertEqual(broken_by("apps/tasks/a.cc", '#include "apps/tasks/store.h"'), [])
        self.assertEqual(broken_by("server/main.cc", '#include "apps/tasks/service.h"'), [])
        self.assertEqual(broken_by("server/main.cc", '#include "apps/tasks/store.h"'), ["doors"])
        self.assertEqual(broken_by("services/files/a.cc", '#include "apps/tasks/api.h"'), ["doors"])

    def test_installed_headers_include_installed_ones(self):
        for include in ("tests/kits/patience_kit.h", "tests/kits/sqlite_kit.h", "tests/kits/identity_kit.h",
                        "generated.h"):
            self.assertEqual(rules_broken({"bedplate/testing/a.h": f'#pragma once\n#include "{include}"\n'},
                                          ("dead-header", "license", "layering", "doors")), ["installed"], include)
        kit = {"tests/kits/sqlite_kit.h": '#pragma once\n#include "tests/kits/patience_kit.h"\n'}
        self.assertEqual(rules_broken(kit), [])
        self.assertEqual(broken_by("bedplate/base/a.h", '#pragma once\n#include "bedplate/base/result.h"'), [])
        self.assertEqual(rules_broken({"apps/tasks/a.h": '#pragma once\n#include "generated.h"\n'}), [])

    def test_banned_calls(self):
        for rule, line in {
            "stdout": 'void f() { fmt::print("x"); }',
            "iostream": "#include <iostream>",
            "regex": "std::regex r;",
            "thread-unsafe": "auto t = localtime(&now);",
            "unbounded": "strcpy(a, b);",
            "shell": "std::system(command);",
            "detach": "thread.detach();",
            "endl": "out << std::endl;",
            "todo": "// TODO fix",
        }.items():
            self.assertEqual(broken_by("bedplate/sql/a.cc", line), [rule], line)

    def test_words_in_comments_and_texts_are_not_calls(self):
        self.assertEqual(broken_by("bedplate/sql/a.cc", '// printf( and "x"\nauto s = "strcpy(a, b) std::endl";'), [])
        self.assertEqual(broken_by("bedplate/sql/a.cc", 'auto s = R"(localtime(&now))";'), [])

    def test_an_excuse_names_its_rule_and_its_reason(self):
        call = "auto t = localtime(&now);  "
        self.assertEqual(broken_by("bedplate/sql/a.cc", call + "// tidy: thread-unsafe because one thread"), [])
        self.assertEqual(broken_by("bedplate/sql/a.cc", call + "// tidy: shell because one thread"), ["thread-unsafe"])

    def test_tests_do_not_sleep(self):
        line = "std::this_thread::sleep_for(1s);"
        self.assertEqual(broken_by("bedplate/sql/a_test.cc", line), ["sleep"])
        self.assertEqual(broken_by("bedplate/sql/a_test.cc", "co_await ok(sleep_for(1ms));"), [])

    def test_a_type_has_one_definition(self):
        one = "#pragma once\nnamespace bedplate {\nstruct Value {\n  int x;\n};\n}\n"
        other = "#pragma once\nnamespace bedplate {\nclass [[nodiscard]] Value final : public Base<int> {\n};\n}\n"
        self.assertEqual(rules_broken({"bedplate/sql/a.h": one, "bedplate/sql/b.h": other}), ["one-definition"])
        self.assertEqual(rules_broken({"bedplate/sql/a.h": one, "services/x/b.h": other}), ["one-definition"])
        for let_pass in ("namespace bedplate::detail {\nstruct Value {\n};\n}\n",
                         "namespace bedplate {\nstruct Value;\nvoid f(struct Value& v) { g(); }\n}\n",
                         "namespace bedplate {\ntemplate <>\nstruct Value<int> {\n};\n}\n",
                         "namespace bedplate {\nclass Other {\n  struct Value {\n  };\n};\n}\n",
                         "namespace bedplate {\n// struct Value {\n}\n"):
            files = {"bedplate/sql/a.h": one, "bedplate/sql/b.h": "#pragma once\n" + let_pass}
            self.assertEqual(rules_broken(files), [], let_pass)
        self.assertEqual(rules_broken({"bedplate/sql/a.h": one, "bedplate/sql/b.cc": other.split("\n", 1)[1]}), [])

    def test_coroutine_pitfalls(self):
        for rule, lines in {
            "coroutine-lambda": ["auto f = [&x](int y) -> Async<void> { co_return; };",
                                 "auto f = [this](\n    int y) mutable\n    -> bedplate::Async<void> { co_return; };"],
            "one-await": ["auto x = co_await f(co_await g());", "f(co_await a(),\n  co_await b());",
                          "if (auto x = co_await f(co_await g()); x) co_return;"],
            "await-aggregate": ["co_await ok(store.insert({.id = id}));", "co_await f(db, {id, text});",
                                'co_await f(db, {"x"});', "co_await f(db,\n  {\n    .id = id});",
                                "co_await f(Row{.id = id});", "if (co_await f({id})) co_return;"],
        }.items():
            for line in lines:
                self.assertEqual(broken_by("bedplate/sql/a.cc", line), [rule], line)
        for line in ("auto f = [](int y) -> Async<void> { co_return; };", "co_await f(); co_await g();",
                     "while (co_await f()) co_await g();", "if (co_await f(x)) { g({.a = 1}); }",
                     "co_await f([&](int a) { return R{.a = a}; });", "co_await f(db, {});",
                     "co_await f(std::string_view{p, n});", "auto operator co_await(T t) { return W({t}); }",
                     "co_await f(db, row);  // not {.id = id}"):
            self.assertEqual(broken_by("bedplate/sql/a.cc", line), [], line)

    def test_shape(self):
        self.assertEqual(broken_by("bedplate/sql/a.h", "// no pragma"), ["pragma-once"])
        self.assertEqual(broken_by("bedplate/sql/a.cc", "int x;  "), ["white-space"])
        self.assertEqual(broken_by("bedplate/sql/a.cc", "int x;\n" * tidy.LINES_MAX), ["length", "white-space"])

    def test_width(self):
        self.assertEqual(broken_by("bedplate/sql/a.cc", "//" + "-" * (tidy.COLUMNS_MAX - 2)), [])
        self.assertEqual(broken_by("bedplate/sql/a.cc", "//" + "-" * (tidy.COLUMNS_MAX - 1)), ["width"])

    def test_sources_begin_with_their_license(self):
        for name, mark in {"bedplate/sql/a.cc": "//", "tools/a.py": "#", "tests/CMakeLists.txt": "#"}.items():
            line = f"{mark} SPDX-License-Identifier: Apache-2.0\n"
            for text, found in ((line, []), ("#!/usr/bin/env x\n" + line, []), ("", ["license"]),
                                (f"{mark} first\n" + line, ["license"])):
                self.assertEqual(rules_broken({name: text or "\n"}, ("white-space",)), found, text)
        self.assertEqual(rules_broken({"apps/a/migrations/0001_a.up.sql": "\n"}, ()), [])

    def test_a_source_includes_its_own_header_first(self):
        header = {"bedplate/sql/a.h": "#pragma once\n"}
        own, other = '#include "bedplate/sql/a.h"\n', '#include "bedplate/sql/b.h"\n'
        self.assertEqual(rules_broken({"bedplate/sql/a.cc": own + other, **header}), [])
        self.assertEqual(rules_broken({"bedplate/sql/a.cc": other + own, **header}), ["own-header"])

    def test_thread_sanitizer_runs_the_tests_with_threads(self):
        test = {"bedplate/async/a_test.cc": "std::jthread other;\n"}
        self.assertEqual(rules_broken(test), ["threads"])
        self.assertEqual(rules_broken({**test, "tests/threads.txt": "# all\nbedplate/async/a_test.cc\n"}), [])
        self.assertEqual(rules_broken({"tests/threads.txt": "bedplate/async/gone_test.cc\n"}), ["threads"])

    def test_headers_open_no_namespace(self):
        head = "#pragma once\n"
        self.assertEqual(broken_by("bedplate/sql/a.h", head + "using namespace std;"), ["using-namespace"])
        self.assertEqual(broken_by("bedplate/sql/a.h", head + "  using namespace bedplate::schema;"), [])


if __name__ == "__main__":
    unittest.main()
