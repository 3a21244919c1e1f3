#!/usr/bin/python3
"""What ./dev promises before it builds anything."""
import os
import subprocess
import tempfile
import unittest

DEV = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "dev")
VERBS = ["setup", "build", "demo", "test", "bench", "sim", "fuzz", "format", "lint", "package"]


def run(*arguments, **environment):
    with tempfile.TemporaryDirectory() as elsewhere:
        return subprocess.run([DEV, *arguments], cwd=elsewhere, capture_output=True, text=True, timeout=30,
                              encoding="utf-8", env={**os.environ, "DUHUI_NO_INSTALL": "1", **environment})


class Dev(unittest.TestCase):
    def test_is_valid_shell(self):
        self.assertEqual(subprocess.run(["bash", "-n", DEV]).returncode, 0)

    def test_help_names_every_verb(self):
        result = run("help")
        self.assertEqual(result.returncode, 0)
        for verb in VERBS:
            self.assertRegex(result.stdout, rf"(?m)^  {verb}\b")

    def test_wrong_usage_exits_2_and_says_why_in_both_languages(self):
        for arguments in (["no-such-verb"], ["test", "--preset", "nothing"], ["test", "--preset"],
                          ["fuzz", "--seconds", "many"], ["format", "--hard"], ["lint", "x"]):
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertRegex(result.stderr.splitlines()[0], r"^✗ .* / .*")

    def test_runs_from_another_folder_and_through_a_link(self):
        with tempfile.TemporaryDirectory() as folder:
            link = os.path.join(folder, "duhui-dev")
            os.symlink(DEV, link)
            self.assertEqual(subprocess.run([link, "setup"], cwd=folder, capture_output=True, timeout=30,
                                            env={**os.environ, "DUHUI_NO_INSTALL": "1"}).returncode, 0)


if __name__ == "__main__":
    unittest.main()
