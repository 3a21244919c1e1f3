"""Reading the source tree for the check_*.py scripts: which files there are, and C++ without its
comments and literals."""
import os
import re

# Never part of the sources.
SKIPPED_FOLDERS = {"build", ".git", "node_modules", "__pycache__", "third_party", "dist"}

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def files(root, suffixes):
    """Paths relative to `root`, with '/', sorted."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if name.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/"))
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def code_only(text):
    """The C++ of `text`; comments and the insides of literals become blanks, line numbers stay."""

    def blank(match):
        token = match.group(0)
        if token.startswith("//") or token.startswith("/*"):
            return re.sub(r"[^\n]", " ", token)
        return '"' + re.sub(r"[^\n]", " ", token[1:-1]) + '"'

    # An include is written like a literal, but is code.
    lines = []
    for line in text.split("\n"):
        lines.append("" if _INCLUDE.match(line) else line)
    return _TOKEN.sub(blank, "\n".join(lines))


def includes(text):
    """(line number, '"' or '<', path) of every include."""
    return [
        (text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2))
        for match in _INCLUDE.finditer(text)
    ]
