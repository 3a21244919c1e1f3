"""The demo, interrupted anywhere: no process is left, nothing in its folder, and the exit code says so."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo" / "demo.py"


def left_over(folder):
    """Command lines of processes that were started on this folder."""
    lines = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in line:
            lines.append(line)
    return lines


class Interrupted(unittest.TestCase):
    def start(self, folder, *words):
        demo = subprocess.Popen([sys.executable, "-u", str(DEMO), *words], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={**os.environ, "TMPDIR": folder})
        self.addCleanup(demo.stdout.close)
        return demo

    def interrupt(self, number, after_words):
        """The demo gets the signal as soon as it has said these words."""
        with tempfile.TemporaryDirectory(prefix="duhui-demo-test-") as folder:
            demo = self.start(folder, "--once")
            said = ""
            for line in demo.stdout:
                said += line
                if after_words in line:
                    break
            demo.send_signal(number)
            said += demo.stdout.read()
            self.assertEqual(demo.wait(), 128 + number, said)
            self.assertNotIn("Traceback", said)
            self.assertEqual(left_over(folder), [])
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [], "its folder is still there")

    def test_ctrl_c_before_everything_is_started(self):
        self.interrupt(signal.SIGINT, "1. ")

    def test_sigterm_while_the_devices_enrol(self):
        self.interrupt(signal.SIGTERM, "2. ")

    def test_ctrl_c_in_the_middle(self):
        self.interrupt(signal.SIGINT, "4. ")

    def test_ctrl_c_after_the_account_is_the_ordinary_end(self):
        with tempfile.TemporaryDirectory(prefix="duhui-demo-test-") as folder:
            demo = self.start(folder)
            said = ""
            for line in demo.stdout:
                said += line
                if line.lstrip().startswith("agent-c:") and "--data" in line:
                    break
            began = time.monotonic()
            demo.send_signal(signal.SIGINT)
            said += demo.stdout.read()
            self.assertEqual(demo.wait(), 0, said)
            self.assertLess(time.monotonic() - began, 15)
            self.assertIn("devices connect to: 127.0.0.1:", said)
            self.assertRegex(said, r"\d+ B ↑ \d+ B ↓")
            self.assertEqual(left_over(folder), [])


if __name__ == "__main__":
    unittest.main()
