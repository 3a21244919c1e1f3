#!/usr/bin/python3
"""Every rule of the check_*.py scripts, shown a small tree that breaks it and one that does not."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "cmake"))

import check_docs
import check_layers
import check_text
import count_tests
import source_tree
import xml.etree.ElementTree as ElementTree

HEADER = "#pragma once\n"


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def assert_one(self, problems, *parts):
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])


class Layers(Tree):
    def found(self):
        return check_layers.check(self.root)[0]

    def table(self, allowed, planned=None):
        self.addCleanup(setattr, check_layers, "ALLOWED", check_layers.ALLOWED)
        self.addCleanup(setattr, check_layers, "PLANNED", check_layers.PLANNED)
        check_layers.ALLOWED, check_layers.PLANNED = allowed, planned or {}

    def test_the_real_table_has_no_circle_and_names_only_boxes(self):
        self.assertEqual(check_layers.cycles(), [])
        for table in (check_layers.ALLOWED, check_layers.PLANNED):
            for box, targets in table.items():
                self.assertIn(box, check_layers.ALLOWED)
                for target in targets:
                    self.assertIn(target, check_layers.ALLOWED)
        for boxes in check_layers.THIRD_PARTY.values():
            for box in boxes:
                self.assertIn(box, check_layers.ALLOWED)

    def test_an_arrow_that_is_not_in_the_table_fails(self):
        self.table({"shared/base": [], "shared/merge": []})
        self.write("shared/base/a.h", HEADER)
        self.write("shared/merge/b.h", HEADER + '#include "shared/base/a.h"\n')
        self.assert_one(self.found(), "shared/merge/b.h:2", "must not include shared/base")

    def test_agent_and_hub_never_meet(self):
        self.write("agent/core/a.h", HEADER)
        self.write("hub/core/b.cc", '#include "agent/core/a.h"\n')
        wrong = [problem for problem in self.found() if not problem.startswith("table: nobody uses")]
        self.assert_one(wrong, "hub/core must not include agent/core")
        self.table({"agent/core": [], "hub/core": ["agent/core"]})
        self.assertIn("table: hub/core -> agent/core: agent and hub meet in shared and proto only", self.found())

    def test_a_circle_in_the_table_fails(self):
        self.table({"shared/base": ["shared/merge"], "shared/merge": ["shared/base"]})
        self.assert_one(self.found(), "form a circle")

    def test_an_arrow_nobody_uses_fails_once_its_box_exists(self):
        self.table({"shared/base": [], "shared/merge": ["shared/base"]})
        self.assertEqual(self.found(), [])
        self.write("shared/merge/a.h", HEADER)
        self.assert_one(self.found(), "nobody uses shared/merge -> shared/base")

    def test_a_planned_arrow_may_be_used_and_is_then_noted(self):
        self.table({"shared/base": [], "shared/merge": []}, {"shared/merge": ["shared/base"]})
        self.write("shared/base/a.h", HEADER)
        self.write("shared/merge/b.h", HEADER + '#include "shared/base/a.h"\n')
        problems, notes = check_layers.check(self.root)
        self.assertEqual(problems, [])
        self.assert_one(notes, "move it from PLANNED")

    def test_third_party_headers_stay_behind_their_port(self):
        self.table({"agent/core": [], "agent/store": []})
        self.write("agent/store/a.cc", "#include <leveldb/db.h>\n")
        self.assertEqual(self.found(), [])
        self.write("agent/core/b.cc", "#include <leveldb/db.h>\n")
        self.assert_one(self.found(), "agent/core/b.cc:1", "only agent/store")

    def test_the_simulator_uses_pure_boxes_only(self):
        self.table({"hub/store": []})
        self.addCleanup(setattr, check_layers, "TESTS_FORBIDDEN", check_layers.TESTS_FORBIDDEN)
        self.write("hub/store/a.h", HEADER)
        self.write("tests/sim/b.cc", '#include "hub/store/a.h"\n')
        self.assert_one(self.found(), "tests/sim must not reach hub/store")

    def test_the_tests_of_one_program_do_not_reach_the_other(self):
        self.table({"hub/core": []})
        self.write("hub/core/a.h", HEADER)
        self.write("tests/agent/core/b.cc", '#include "hub/core/a.h"\n')
        self.assert_one(self.found(), "must not reach hub/core")

    def test_a_path_that_is_not_from_the_root_fails(self):
        self.table({"shared/base": []})
        self.write("shared/base/a.h", HEADER)
        self.write("shared/base/b.cc", '#include "a.h"\n')
        self.assert_one(self.found(), "from the repository root")

    def test_a_test_may_name_the_file_beside_it(self):
        self.table({})
        self.write("tests/hub/core/a.h", HEADER)
        self.write("tests/hub/core/b.cc", '#include "a.h"\n#include "made.pb.h"\n')
        self.assertEqual(self.found(), [])
        self.write("tests/hub/api/c.cc", '#include "a.h"\n')
        self.assert_one(self.found(), "tests/hub/api/c.cc", "from the repository root")

    def test_a_folder_outside_the_picture_fails(self):
        self.write("shared/utils/a.h", HEADER)
        self.assert_one(self.found(), "belongs to no box")


class Text(Tree):
    def found(self):
        return check_text.check(self.root)

    def assert_bad(self, path, code, *parts):
        self.write(path, code)
        self.assert_one(self.found(), path, *parts)
        os.remove(os.path.join(self.root, path))

    def assert_good(self, path, code):
        self.write(path, code)
        self.assertEqual(self.found(), [])
        os.remove(os.path.join(self.root, path))

    def test_cores_read_no_clock_start_no_thread_open_no_socket(self):
        clock = "auto t = std::chrono::system_clock::now();\n"
        self.assert_bad("agent/core/a.cc", clock, ":1:", "take the time as a parameter")
        self.assert_bad("shared/merge/a.cc", clock)
        self.assert_bad("tests/sim/a.cc", clock)
        self.assert_good("agent/app/a.cc", clock)
        self.assert_bad("hub/core/a.cc", "\nstd::thread t;\n", ":2:", "threads belong to the programs")
        self.assert_good("hub/app/a.cc", "std::thread t;\n")
        self.assert_bad("shared/sync/a.cc", "boost::asio::io_context c;\n", "sockets belong to shared/net")
        self.assert_good("shared/net/a.cc", "boost::asio::io_context c;\n")
        self.assert_bad("shared/domain/a.cc", "int x = rand();\n", "Random&")

    def test_words_banned_everywhere(self):
        self.assert_bad("tests/e2e/a.cc", "std::this_thread::sleep_for(1s);\n", "wait for the event")
        self.assert_bad("hub/app/a.cc", "auto self = shared_from_this();\n", "parent coroutine")
        self.assert_bad("agent/app/a.cc", "co_spawn(e, f(), asio::detached);\n", "TaskScope")
        self.assert_bad("hub/api/a.cc", "beast::flat_buffer b;\n", "shared/net")
        self.assert_good("shared/net/a.cc", "beast::flat_buffer b;\n")
        self.assert_bad("hub/core/a.cc", "sqlite3_step(s);\n", "hub/ports")
        self.assert_good("hub/store/a.cc", "sqlite3_step(s);\n")
        self.assert_bad("shared/base/a.cc", "throw 1;\n", "return an Error")
        self.assert_bad("tests/hub/a.cc", "TEST(A, DISABLED_B) {}\n", "mend the test")

    def test_comments_and_literals_may_name_what_they_explain(self):
        self.assert_good("agent/core/a.cc", "// no asio, no std::thread\n/* sleep_for */\n"
                         'auto a = "detached"; auto b = R"(asio)"; int c = 1\'000;\n')
        self.assert_bad("agent/core/a.cc", "int n = 1'000; asio::x y; int m = 2'000;\n", "asio")

    def test_capturing_lambdas_inside_co_await(self):
        what = "capturing lambda"
        self.assert_bad("agent/app/a.cc", "co_await co_spawn(e, [&x]() { f(); g(); }, use);\n", what)
        self.assert_bad("agent/app/a.cc", "auto r =\n  co_await [=] { f(); }();\n", ":2:", what)
        self.assert_good("agent/app/a.cc", "co_await f(list[i], [] { return 1; });\n")
        self.assert_good("agent/app/a.cc", "co_await handlers[i](x);\n")
        self.assert_good("agent/app/a.cc", "auto [a, b] = co_await f();\nauto g = [a](int) {};\n")
        self.assert_good("agent/app/a.cc", "if (co_await f()) {\n  auto g = [a](int) {};\n}\n")

    def test_long_files(self):
        self.assert_good("shared/base/a.cc", "\n" * check_text.FILE_LINES_MAX)
        self.assert_bad("shared/base/a.cc", "\n" * (check_text.FILE_LINES_MAX + 1), "split it")

    def test_headers_are_guarded(self):
        self.assert_bad("shared/base/a.h", "int x;\n", "#pragma once")

    def test_todo_needs_an_issue(self):
        self.assert_bad("shared/base/a.cc", "// TODO: later\n", "number of an issue")
        self.assert_good("shared/base/a.cc", "// TODO(#12): later\n")

    def test_paths_of_one_machine(self):
        self.assert_bad("dev", "cat /home/somebody/y\n", "no path of one machine")
        self.assert_good("docs/a.md", "see docs/home/x/y and $top/home/x/y\n")

    def test_the_insides_of_literals_do_not_hide_code(self):
        self.assertEqual(source_tree.code_only("a('\"'); b(\"//\"); c\n").count("\n"), 1)
        self.assertIn("b(", source_tree.code_only("a('\"'); b(\"//\"); c\n"))
        self.assertIn("c", source_tree.code_only("a('\"'); b(\"//\"); c\n"))


class Docs(Tree):
    def test_a_link_to_nothing_fails(self):
        self.write("docs/a.md", "[b](b.md) [web](https://example.org/x) [top](#x)\n\n```\n[c](c.md)\n```\n")
        self.assert_one(check_docs.check(self.root), "docs/a.md:1", "b.md does not exist")
        self.write("docs/b.md", "[a](a.md#part)\n")
        self.assertEqual(check_docs.check(self.root), [])

    def test_a_long_architecture_page_fails(self):
        self.write("ARCHITECTURE.md", "\n" * (check_docs.ARCHITECTURE_LINES_MAX + 1))
        self.assert_one(check_docs.check(self.root), "is the most")


class Counting(unittest.TestCase):
    def counted(self, status, output):
        case = ElementTree.fromstring(f'<testcase name="x" status="{status}"><system-out/></testcase>')
        case.find("system-out").text = output
        return count_tests.count(case)

    def test_cases_inside_a_program_count(self):
        self.assertEqual(self.counted("run", "...\n[  PASSED  ] 12 tests.\n"), (12, 0))
        self.assertEqual(self.counted("run", "Ran 3 tests in 0.1s\n\nOK\n"), (3, 0))
        self.assertEqual(self.counted("run", "anything else"), (1, 0))

    def test_failures_are_never_lost(self):
        both = "[  PASSED  ] 5 tests.\n[  FAILED  ] 2 tests, listed below:\n"
        self.assertEqual(self.counted("fail", both), (5, 2))
        self.assertEqual(self.counted("fail", "Segmentation fault"), (0, 1))
        self.assertEqual(self.counted("fail", "Ran 3 tests in 0.1s\nFAILED (failures=1)"), (0, 1))
        self.assertEqual(self.counted("notrun", ""), (0, 1))


if __name__ == "__main__":
    unittest.main()
