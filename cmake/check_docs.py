#!/usr/bin/python3
"""Documents that point somewhere point at something: check_docs.py [--root DIR]

Every relative link of a Markdown file leads to a file, and ARCHITECTURE.md stays short enough to be
read.
"""
import argparse
import os
import re
import sys

import source_tree

ARCHITECTURE_LINES_MAX = 200
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


def check(root):
    problems = []
    for path in source_tree.files(root, (".md",)):
        text = source_tree.read(root, path)
        prose = re.sub(r"```.*?```", lambda match: "\n" * match.group(0).count("\n"), text, flags=re.DOTALL)
        for match in LINK.finditer(prose):
            target = match.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                line = prose.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {target} does not exist")
        if path == "ARCHITECTURE.md" and text.count("\n") > ARCHITECTURE_LINES_MAX:
            problems.append(f"{path}: {text.count(chr(10))} lines; {ARCHITECTURE_LINES_MAX} is the most")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    problems = check(parser.parse_args().root)
    for text in problems:
        print(text)
    print(f"check_docs: {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
