#!/usr/bin/python3
"""Which box may include which: check_layers.py [--root DIR]

Boxes are the folders of the picture in ARCHITECTURE.md. ALLOWED is the whole list of arrows; an
arrow not in it fails, and so does an arrow in it that nobody uses, so that the list stays the truth.
PLANNED arrows are allowed and not used yet; move them to ALLOWED once they are.
"""
import argparse
import os
import sys

import source_tree

# box -> boxes its headers and sources may include. Arrows only point down: no cycle is possible,
# and agent and hub meet in shared and proto only.
ALLOWED = {
    "proto": [],
    "shared/base": [],
    "shared/merge": ["proto", "shared/base"],
    "shared/record": ["proto", "shared/base", "shared/merge"],
    "shared/domain": ["proto", "shared/base", "shared/merge", "shared/record"],
    "shared/sync": ["proto", "shared/base", "shared/merge", "shared/crypto"],
    "shared/crypto": ["shared/base"],
    "shared/media": ["shared/base"],
    "shared/blobs": ["proto", "shared/base", "shared/sync"],
    "shared/carry": ["proto", "shared/base", "shared/crypto", "shared/sync"],
    "shared/net": ["shared/base", "shared/crypto"],
    "shared/api": ["proto", "shared/base", "shared/merge", "shared/record", "shared/domain",
                   "shared/sync", "shared/crypto", "shared/media"],
    "shared/cli": ["shared/base", "shared/record", "shared/net", "shared/api"],
    "shared/web": ["shared/base", "shared/record", "shared/net", "shared/api", "shared/cli"],
    "agent/ports": ["shared/base"],
    "agent/core": ["proto", "shared/base", "shared/merge", "shared/domain", "shared/sync", "shared/crypto",
                   "agent/ports"],
    "agent/store": ["shared/base", "shared/blobs", "shared/crypto", "shared/sync", "agent/ports"],
    "agent/api": ["proto", "shared/base", "shared/record", "shared/domain", "shared/crypto",
                  "shared/media", "shared/api", "agent/ports", "agent/core"],
    "agent/app": ["proto", "shared/base", "shared/blobs", "shared/record", "shared/domain", "shared/sync",
                  "shared/crypto", "shared/carry", "shared/net", "shared/api", "shared/cli", "shared/web", "agent/ports",
                  "agent/core", "agent/store", "agent/api"],
    "hub/ports": ["proto", "shared/base", "shared/merge"],
    "hub/core": ["proto", "shared/base", "shared/merge", "shared/domain", "shared/sync",
                 "shared/crypto", "hub/ports"],
    "hub/store": ["shared/base", "hub/ports"],
    "hub/api": ["proto", "shared/base", "shared/merge", "shared/record", "shared/domain",
                "shared/sync", "shared/crypto", "shared/api", "hub/ports", "hub/core"],
    "hub/app": ["shared/base", "shared/blobs", "shared/record", "shared/sync", "shared/crypto", "shared/carry",
                "shared/net",
                "shared/api", "shared/cli", "shared/web", "hub/ports", "hub/core", "hub/store",
                "hub/api"],
}

PLANNED = {
    "agent/api": ["shared/merge", "shared/sync", "shared/net"],
    "agent/app": ["shared/merge"],
    "hub/api": ["shared/net"],
    "hub/app": ["proto", "shared/merge", "shared/domain"],
}

# Boxes without I/O, clock or thread; all the simulator is made of.
PURE = ["proto", "shared/base", "shared/merge", "shared/record", "shared/domain", "shared/sync",
        "shared/crypto", "agent/ports", "agent/core", "hub/ports", "hub/core"]

# Folder of tests -> boxes it must not reach. The most specific entry holds.
TESTS_FORBIDDEN = {
    "tests/shared": ["agent", "hub"],
    "tests/agent": ["hub"],
    "tests/hub": ["agent"],
    "tests/sim": [box for box in ALLOWED if box not in PURE],
}

# Third-party header (its first characters) -> boxes that may see it. Elsewhere it hides behind a port.
THIRD_PARTY = {
    "boost/beast": ["shared/net"],
    "boost/asio": ["shared/net", "agent/api", "agent/app", "hub/api", "hub/app"],
    "leveldb/": ["agent/store"],
    "sqlite3.h": ["hub/store"],
    "libpq": ["hub/store"],
    "sodium": ["shared/crypto"],
    "openssl/": ["shared/crypto", "shared/net"],
    "zstd": ["shared/sync"],
    "jpeglib.h": ["shared/media"],
    "jerror.h": ["shared/media"],
    "png.h": ["shared/media"],
    "webp/": ["shared/media"],
    "CLI/": ["agent/app", "hub/app", "shared/cli"],
    "toml++/": ["shared/cli"],
    "spdlog/": ["agent/app", "hub/app", "shared/cli"],
}


def box_of(path):
    """The box a file or an included header belongs to; None: no box."""
    if path.startswith("duhui/") or path.startswith("proto/"):
        return "proto"
    box = "/".join(path.split("/")[:2])
    return box if box in ALLOWED else None


def cycles():
    """Names one cycle in the table, if there is one: then its arrows do not all point down."""
    arrows = {box: ALLOWED[box] + PLANNED.get(box, []) for box in ALLOWED}
    finished = set()

    def walk(box, path):
        if box in path:
            return path[path.index(box):] + [box]
        if box in finished:
            return None
        for target in arrows[box]:
            found = walk(target, path + [box])
            if found:
                return found
        finished.add(box)
        return None

    for start in arrows:
        found = walk(start, [])
        if found:
            return [f"table: the arrows {' -> '.join(found)} form a circle"]
    return []


def found(root, path, included):
    """Whether a quoted include names a file from the root. Generated headers have no place in the
    tree; a test may name what lies beside it."""
    if included.endswith(".pb.h") or os.path.exists(os.path.join(root, included)):
        return True
    return path.startswith("tests/") and os.path.exists(os.path.join(root, os.path.dirname(path), included))


def side(box):
    return box.split("/")[0]


def check(root):
    problems, notes = cycles(), []
    for box, targets in ALLOWED.items():
        for target in targets + PLANNED.get(box, []):
            if {side(box), side(target)} == {"agent", "hub"}:
                problems.append(f"table: {box} -> {target}: agent and hub meet in shared and proto only")
    used, existing = set(), set()

    for path in source_tree.files(root, (".h", ".cc")):
        top = path.split("/")[0]
        if top not in ("agent", "hub", "shared", "tests"):
            continue
        box = None if top == "tests" else box_of(path)
        if top != "tests" and box is None:
            problems.append(f"{path}: belongs to no box; add its folder to the table in check_layers.py")
            continue
        if box:
            existing.add(box)
        forbidden_sides = next(
            (TESTS_FORBIDDEN[folder] for folder in sorted(TESTS_FORBIDDEN, key=len, reverse=True)
             if path.startswith(folder + "/")), [])

        for line, kind, included in source_tree.includes(source_tree.read(root, path)):
            place = f"{path}:{line}"
            target = box_of(included)
            if target is None and kind == '"' and not found(root, path, included):
                problems.append(f'{place}: "{included}": write the path from the repository root')
                continue
            if top == "tests":
                if any(included.startswith(name + "/") for name in forbidden_sides):
                    problems.append(f"{place}: {included}: {path.rsplit('/', 1)[0]} must not reach {target}")
                continue
            if included.startswith("tests/"):
                problems.append(f"{place}: {included}: what is shipped never includes tests")
            for prefix, boxes in THIRD_PARTY.items():
                if included.startswith(prefix) and box not in boxes:
                    problems.append(f"{place}: <{included}>: only {', '.join(boxes)} may see it; use a port")
            if target is None or target == box:
                continue
            used.add((box, target))
            if target not in ALLOWED[box] and target not in PLANNED.get(box, []):
                problems.append(f"{place}: {box} must not include {target} ({included})")

    for box, targets in ALLOWED.items():
        for target in targets:
            if box in existing and (box, target) not in used:
                problems.append(f"table: nobody uses {box} -> {target}; delete it from ALLOWED")
    for box, targets in PLANNED.items():
        for target in targets:
            if (box, target) in used and target not in ALLOWED[box]:
                notes.append(f"note: {box} -> {target} is in use; move it from PLANNED to ALLOWED")
    return problems, notes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    problems, notes = check(parser.parse_args().root)
    for text in notes + problems:
        print(text)
    print(f"check_layers: {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
