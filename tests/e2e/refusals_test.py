"""What the programs say to requests that are wrong as HTTP, before the API or in it. check_openapi.py judges the words."""

import json
import socket
import unittest
from urllib.parse import urlparse

from world import PASSWORD, WANG, World

JSON = {"Content-Type": "application/json"}
# What, method, path, body, headers -> status and kind of the answer.
WRONG = (
    ("an unknown address", "GET", "/nothing", None, {}, 404, "application/json"),
    ("an unknown record", "GET", "/records/00000000-0000-4000-8000-000000000000", None, {}, 404, "application/json"),
    ("another method", "DELETE", "/status", None, JSON, 405, "application/json"),
    ("another method", "POST", "/status", b"{}", JSON, 405, "application/json"),
    ("no JSON", "POST", "/records", b'{"type":', JSON, 400, "application/json"),
    ("another shape", "POST", "/records", b"[1]", JSON, 400, "application/json"),
    ("no content type", "POST", "/records", b"{}", {}, 415, "application/json"),
    ("a foreign page", "POST", "/records", b"{}", {**JSON, "Origin": "https://evil.example"}, 403, "application/json"),
    ("a foreign host", "GET", "/status", None, {"Host": "rebound.example"}, 421, "application/json"),
    ("a head without end", "GET", "/status", None, {"X-Long": "x" * 100_000}, 431, "text/plain"),
)


class Refusals(unittest.TestCase):
    def check(self, program):
        program.sign_in(WANG)
        session = program.sessions[WANG].headers
        for what, method, path, body, headers, status, kind in WRONG:
            with self.subTest(program=program.folder.name, what=what):
                got, told, answer = program.exchange(method, path, body, {**session, **headers})
                self.assertEqual((got, told["content-type"].split(";")[0]), (status, kind), answer)
        for what, raw, status in (("no HTTP", b"\x16\x03\x01\x02\x00 hello\r\n\r\n", 400),
                                  ("a body announced without end",
                                   b"POST /api/v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                   b"Content-Length: 99999999999\r\n\r\n", 413)):
            with self.subTest(program=program.folder.name, what=what):
                self.assertEqual(self.raw(program, raw), status)

    def session(self, program):
        """From signing in to signing out; what is refused on the way has tests of its own."""
        program.sign_in(WANG)
        for method, path, body in (("GET", "/session", None), ("POST", "/session/lock", {}),
                                   ("POST", "/session/unlock", {"password": PASSWORD}),
                                   ("POST", "/session/password", {"old": PASSWORD, "new": "another-258-word"}),
                                   ("POST", "/session/password", {"old": "another-258-word", "new": PASSWORD}),
                                   ("DELETE", "/session", {})):
            headers = {**JSON, **program.sessions[WANG].headers}
            text = None if body is None else json.dumps(body).encode()
            status, told, answer = program.exchange(method, path, text, headers)
            self.assertEqual(status, 200, f"{method} {path}: {answer}")
        program.sessions.pop(WANG)

    @staticmethod
    def raw(program, request):
        """Bytes as they are; the status of the answer."""
        where = urlparse(program.base())
        with socket.create_connection((where.hostname, where.port), timeout=60) as stream:
            stream.sendall(request)
            answer = b""
            while piece := stream.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        kind = next(line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("content-type:"))
        status = int(lines[0].split()[1])
        program.log_response("POST", "/api/v1/records", status, kind.split(";")[0], body.decode())
        return status

    def test_each_is_described(self):
        with World(agents=1) as world:
            self.session(world.hub)
            self.check(world.hub)
            agent = world.agents[0]
            self.check(agent)
            for wait in (-1, 600_001, "soon"):
                status, _, _ = agent.exchange("POST", "/sync", json.dumps({"wait_ms": wait}).encode(), JSON,
                                               operator=True)
                self.assertEqual(status, 400)
            # A hub that is away: not everything is exchanged, and the answer says why.
            world.hub.stop()
            world.new_visit(agent)
            status, _, answer = agent.exchange("POST", "/sync", b'{"wait_ms": 200}', JSON, operator=True)
            self.assertEqual(status, 503)
            self.assertGreater(answer["unacknowledged"], 0)


if __name__ == "__main__":
    unittest.main()
