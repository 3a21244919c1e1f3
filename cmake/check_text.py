#!/usr/bin/python3
"""Words that do not belong in a folder, with what to write instead: check_text.py [--root DIR]

C++ rules look at code only: comments and literals may name what they explain. A rule is one entry of
CODE_RULES or TEXT_RULES.
"""
import argparse
import os
import re
import sys
from collections import namedtuple

import source_tree

FILE_LINES_MAX = 500

# where: prefixes of paths the rule holds in; except_in: prefixes it does not.
Rule = namedtuple("Rule", "pattern instead where except_in", defaults=((), ()))

SHIPPED = ("agent/", "hub/", "shared/")
# Decides, does no I/O.
PURE = ("shared/base/", "shared/merge/", "shared/record/", "shared/domain/", "shared/sync/",
        "agent/core/", "agent/ports/", "hub/core/", "hub/ports/", "tests/sim/")

CODE_RULES = [
    Rule(r"::\s*now\s*\(", "take the time as a parameter (WallTime, MonotonicTime)", PURE),
    Rule(r"\bstd::j?thread\b|\bstd::async\b|\bpthread_create\b",
         "return an effect; threads belong to the programs in */app and to shared/net", PURE),
    Rule(r"\basio\b", "return an effect; sockets belong to shared/net", PURE),
    Rule(r"\bstd::random_device\b|\bs?rand\s*\(", "take a Random& (shared/base/random.h)", PURE),
    Rule(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b",
         "wait for the event itself: a condition, a timer of the loop, virtual time in tests"),
    Rule(r"\bshared_from_this\b|\benable_shared_from_this\b",
         "let the parent coroutine own the object and await its children"),
    Rule(r"\bdetached\b", "spawn through TaskScope, which can cancel and await"),
    Rule(r"\bbeast\b", "use the interfaces of shared/net", except_in=("shared/net/",)),
    Rule(r"\bPQ(exec|execParams|prepare|connectdb)\b|\bsqlite3_\w+\b",
         "hub storage is an effect behind hub/ports", SHIPPED, ("hub/store/",)),
    Rule(r"\bthrow\b", "return an Error (shared/base/result.h)", SHIPPED),
    Rule(r"\bDISABLED_\w+", "mend the test or delete it", ("tests/",)),
]

TEXT_RULES = [
    Rule(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", "write TODO(#12), with the number of an issue, or do it"),
    Rule(r"(?<![\w.$}~-])/(?:roo[t]|home/\w+)/", "no path of one machine; use a path from the repository root"),
]
TEXT_SUFFIXES = (".h", ".cc", ".proto", ".py", ".cmake", ".txt", ".md", ".json", ".yaml", ".yml", ".toml", ".sh",
                 ".ts", ".vue", ".service")
TEXT_FILES = ("dev", ".ci/run")


def holds(rule, path):
    return (not rule.where or path.startswith(rule.where)) and not (
        rule.except_in and path.startswith(rule.except_in))


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def matches(rule, path, text):
    for match in re.finditer(rule.pattern, text):
        yield f"{path}:{line_of(text, match.start())}: '{match.group(0).strip()}': {rule.instead}"


def awaited_expression(code, start):
    """The text from after `co_await` to the end of its expression."""
    depth = 0
    for position in range(start, len(code)):
        character = code[position]
        if character in "([{":
            if character == "{" and depth == 0:
                return code[start:position + 1]
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                return code[start:position]
        elif character == ";" and depth == 0:
            return code[start:position]
    return code[start:]


# A capture list: not empty, not an index or an attribute, followed by parameters or a body.
CAPTURING_LAMBDA = re.compile(r"(?:^|[(,{=&|!?:;<>+*-])\s*\[(?!\[)[^\]\[]+\]\s*(?:\(|\{|mutable\b|->|<)")


def capturing_lambdas(path, code):
    """g++ 12 destroys the captures of a lambda inside a co_await expression twice (GCC 107288)."""
    for match in re.finditer(r"\bco_await\b", code):
        expression = awaited_expression(code, match.end())
        if CAPTURING_LAMBDA.search(expression):
            yield (f"{path}:{line_of(code, match.start())}: capturing lambda in a co_await expression: name it "
                   "first, or call a named function that takes values")


def check(root):
    problems = []
    for path in source_tree.files(root, (".h", ".cc")):
        text = source_tree.read(root, path)
        code = source_tree.code_only(text)
        for rule in CODE_RULES:
            if holds(rule, path):
                problems.extend(matches(rule, path, code))
        problems.extend(capturing_lambdas(path, code))
        if path.endswith(".h") and "#pragma once" not in text:
            problems.append(f"{path}:1: a header begins with #pragma once")
    for path in source_tree.files(root, (".h", ".cc", ".py", ".proto")):
        lines = source_tree.read(root, path).count("\n")
        if lines > FILE_LINES_MAX:
            problems.append(f"{path}: {lines} lines; split it, {FILE_LINES_MAX} is the most")
    for path in source_tree.files(root, TEXT_SUFFIXES + TEXT_FILES):
        # The rules themselves, and data that people might have typed.
        if path in ("cmake/check_text.py", "tests/checks/checks_test.py") or path.startswith("tests/data/"):
            continue
        for rule in TEXT_RULES:
            if holds(rule, path):
                problems.extend(matches(rule, path, source_tree.read(root, path)))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    problems = check(parser.parse_args().root)
    for text in problems:
        print(text)
    print(f"check_text: {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
