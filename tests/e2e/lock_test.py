"""One process has a data folder at a time: commands and a starting service wait for each other, for a moment."""

import fcntl
import http.server
import json
import os
import socketserver
import subprocess
import threading
import time
import unittest

from world import World

UNAVAILABLE = 5
SHORT = 0.7  # seconds that a short command of somebody else may hold the lock


class Lock:
    """The lock of a data folder, held as another process would."""

    def __init__(self, program, name):
        self.file = os.open(program.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self):
        os.close(self.file)

    def release_soon(self):
        threading.Timer(SHORT, self.release).start()


class Answering(http.server.BaseHTTPRequestHandler):
    """A service as a command sees it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({"name": "the one that answered", "id": "x", "devices": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "local"

    def log_message(self, *_):
        pass


class Locks(unittest.TestCase):
    def setUp(self):
        self.world = World(agents=1).__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.world.agents[0].stop()
        self.world.hub.stop()
        self.programs = ((self.world.hub, "lock"), (self.world.agents[0], "LOCK"))

    def test_a_command_waits_for_a_short_command_of_somebody_else(self):
        for program, name in self.programs:
            with self.subTest(program.folder.name):
                Lock(program, name).release_soon()
                self.assertIn("id" if name == "lock" else "device", program.run("status"))

    def test_a_command_that_found_the_lock_taken_asks_the_service_that_came_up(self):
        for program, name in self.programs:
            with self.subTest(program.folder.name):
                lock = Lock(program, name)
                socket = program.folder / "control.sock"
                socket.unlink(missing_ok=True)
                command = threading.Thread(target=self.ask, args=(program,))
                command.start()
                time.sleep(SHORT)  # so that it finds the lock taken first
                with socketserver.ThreadingUnixStreamServer(str(socket), Answering) as service:
                    threading.Thread(target=service.serve_forever, daemon=True).start()
                    command.join()
                    service.shutdown()
                socket.unlink()
                lock.release()
                self.assertEqual(self.told.get("name"), "the one that answered", self.told)

    def ask(self, program):
        self.told = program.run("status", check=False)

    def test_a_starting_service_waits_for_a_short_command(self):
        for program, name in self.programs:
            with self.subTest(program.folder.name):
                Lock(program, name).release_soon()
                program.start()
                self.assertLess(program.stop(), 5)

    def test_commands_and_a_starting_service_never_fail_for_each_other(self):
        for program, _ in self.programs:
            for _ in range(3):
                with self.subTest(program.folder.name):
                    commands = [self.begin(program, "status") for _ in range(2)]
                    program.start()
                    commands += [self.begin(program, "status") for _ in range(2)]
                    for command in commands:
                        said, _ = command.communicate(timeout=60)
                        self.assertEqual(command.returncode, 0, said)
                    program.stop()

    def test_a_folder_that_stays_taken_is_told_after_a_short_while(self):
        for program, name in self.programs:
            lock = Lock(program, name)
            self.addCleanup(lock.release)
            for words in (("status",), ("serve",)):
                for language, sentence in (("zh", "暂时不可用"), ("en", "Not available now")):
                    with self.subTest(f"{program.folder.name} {words} {language}"):
                        began = time.monotonic()
                        command = self.begin(program, *words, "--lang", language, json_wanted=False)
                        said, _ = command.communicate(timeout=60)
                        self.assertEqual(command.returncode, UNAVAILABLE, said)
                        self.assertIn("another process", said)
                        self.assertIn(sentence, said)
                        self.assertTrue(1.5 < time.monotonic() - began < 8, time.monotonic() - began)

    def begin(self, program, *words, json_wanted=True):
        return subprocess.Popen(
            [program.program, "--data", str(program.folder), *(["--json"] if json_wanted else []), *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=program.environment)


if __name__ == "__main__":
    unittest.main()
