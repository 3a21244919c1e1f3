"""What a hostile page, a hostile neighbour or a broken program sends to a real agent and a real hub: none of it passes,
none of it changes anything, and the program goes on answering."""

import copy
import http.client
import json
import os
import socket
import ssl
import threading
import time
import unittest

from hostile_pages import TABLE, Target, change, read
from world import VISIT, WANG, World

FIXED = {  # of every answer
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
CONTACT = "u-con-001"
# Within this a refusal must come: the shortest wait of a port for pages is ten seconds.
AT_ONCE = 8
SLOW_HEAD, SLOW_BODY, IDLE = 10, 30, 30  # seconds that such a port waits
SLACK = 15  # for a busy machine
MOMENT = 0.2
LAN = "[lan]\nenabled = true\nport = 0\nallowed_hosts = [\"duhui.school\"]\n"


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask_owner(program, path):
    """As the owner, through the socket of the command line."""
    connection = Unix(program.folder / "control.sock")
    connection.request("GET", "/api/v1" + path)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if answer.status != 200:
        raise AssertionError(f"{path}: {answer.status} {body}")
    return body


def state_of(program):
    """What a request could have changed."""
    status = ask_owner(program, "/status")
    if status["program"] == "duhui-agent":
        return {"records": status["records"], "head": status["head"], "scopes": status["scopes"],
                "disabled": status["link"]["state"] == "disabled"}
    return {"tickets": len(ask_owner(program, "/tickets")["tickets"]),
            "devices": {device["id"]: device["flags"] for device in ask_owner(program, "/devices")["devices"]},
            "ops": status["ops"]}


def receive(stream, answer=b""):
    while True:
        try:
            piece = stream.recv(65536)
        except TimeoutError:
            if not answer:
                raise
            return answer
        except OSError:  # reset, or TLS that ends without a word
            return answer
        if not piece:
            return answer
        answer += piece


def exchange_over_tls(target, bytes_sent):
    """TLS cannot be closed on one side only: what is not closed by the program is complete after a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", target.port), timeout=AT_ONCE + SLACK) as plain, \
            context.wrap_socket(plain) as stream:
        try:
            stream.sendall(bytes_sent)
        except OSError:
            pass  # refused while we were sending
        first = stream.recv(65536)
        stream.settimeout(MOMENT)
        return receive(stream, first)


def exchange(target, bytes_sent, timeout=AT_ONCE + SLACK):
    """All that comes back, until the program closes; we tell it that nothing more will come."""
    if target.scheme == "https":
        return exchange_over_tls(target, bytes_sent)
    name, port = target.host.rsplit(":", 1)
    with socket.create_connection((name, int(port)), timeout=timeout) as stream:
        try:
            stream.sendall(bytes_sent)
            stream.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while we were sending
        return receive(stream)


def answers_of(raw):
    """[(status, headers, body)] of what came back on one connection."""
    answers = []
    while raw:
        head, separator, rest = raw.partition(b"\r\n\r\n")
        if not separator or not head.startswith(b"HTTP/1."):
            raise AssertionError(f"not an answer: {raw[:200]}")
        lines = head.decode("latin-1").split("\r\n")
        told = dict(line.split(": ", 1) for line in lines[1:])
        told = {name.lower(): value for name, value in told.items()}
        length = int(told.get("content-length", 0))
        answers.append((int(lines[0].split()[1]), told, rest[:length]))
        raw = rest[length:]
    return answers


class HostilePages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(agents=1).__enter__()
        cls.world.hub.accounts(CONTACT)
        cls.world.agents[0].meet(CONTACT)
        cls.world.agents[0].run("sync")
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        agent, hub = cls.world.agents[0], cls.world.hub
        for program in (hub, agent):
            program.stop()
            (program.folder / ("hub.toml" if program is hub else "agent.toml")).write_text(LAN)
            program.start()
        device = ask_owner(hub, "/devices")["devices"][0]["id"]
        cls.targets = [
            cls.target(agent, hub, f"{agent.addresses['address']}:{agent.addresses['port']}", "/api/v1/link"),
            cls.target(hub, agent, f"{hub.addresses['http_host']}:{hub.addresses['http_port']}",
                       f"/api/v1/devices/{device}/revoke")]
        cls.all_targets = cls.targets + [cls.in_lan(target) for target in cls.targets]

    @staticmethod
    def target(program, foreign, host, post_only):
        """With the sessions of people who are signed in: an attack that needs none of them has them all the same."""
        def signed_in(where, person):
            where.sign_in(person)
            headers = where.sessions[person].headers
            return headers["Cookie"].split("=", 1)[1], headers["X-Duhui-CSRF"]

        def body(person):
            return json.dumps({"type": "visit_record", "value": VISIT, "as": person}).encode()

        ended = signed_in(program, WANG)
        program.exchange("DELETE", "/session", b"{}", {
            "Content-Type": "application/json", "Cookie": f"duhui_session={ended[0]}", "X-Duhui-CSRF": ended[1]})
        return Target(program, host, "/api/v1/records", body(WANG), post_only, "/api/v1/records?limit=1",
                      own=signed_in(program, WANG), other=signed_in(program, CONTACT), ended=ended,
                      foreign=signed_in(foreign, CONTACT), body_as_other=body(CONTACT))

    @staticmethod
    def in_lan(target):
        """The same program, as somebody in the local network sees it."""
        there = copy.copy(target)
        there.port = target.program.addresses["lan"]["port"]
        there.host, there.scheme = f"duhui.school:{there.port}", "https"
        return there

    def settled(self, target):
        """The state that nobody changes now but us."""
        self.world.agents[0].run("sync")
        return state_of(target.program)

    def check_answer(self, status, told, body):
        self.assertGreaterEqual(status, 400)
        self.assertFalse({name for name in told if name.startswith("access-control-")})
        for name, value in FIXED.items():
            self.assertEqual(told.get(name), value, name)
        self.assertIn("default-src 'none'", told.get("content-security-policy", ""))
        if told.get("content-type") == "application/json" and body:
            self.assertIn("error", json.loads(body))

    def check(self, target, sent, wanted):
        answers = answers_of(exchange(target, sent))
        statuses = list(wanted) if isinstance(wanted, tuple) else [wanted]
        self.assertEqual([status for status, _, _ in answers], statuses, "nothing else may be answered")
        for answer in answers:
            self.check_answer(*answer)

    def test_no_hostile_request_passes(self):
        self.assertGreaterEqual(len(TABLE), 60)
        self.assertEqual(len({name for name, _, _ in TABLE}), len(TABLE))
        for target in self.all_targets:
            before = self.settled(target)
            for name, build, wanted in TABLE:
                with self.subTest(program=target.program.folder.name, scheme=target.scheme, request=name):
                    self.check(target, build(target), wanted)
                    self.assertEqual(state_of(target.program), before, "something was done all the same")
            self.check_that_it_serves(target)

    def check_that_it_serves(self, target):
        """The same requests without anything hostile in them: otherwise nothing above was tested."""
        before = self.settled(target)
        (status, told, body), = answers_of(exchange(target, read(target)))
        self.assertEqual((status, told["content-type"]), (200, "application/json"))
        self.assertIsInstance(json.loads(body), dict)
        (status, told, _), = answers_of(exchange(target, change(target)))
        self.assertIn(status, (200, 201))
        for name, value in FIXED.items():
            self.assertEqual(told.get(name), value, name)
        self.assertNotEqual(state_of(target.program), before, "the good request must do what the hostile ones want")

    def test_one_connection_carries_many_good_requests_and_stops_at_the_first_bad_one(self):
        for target in self.all_targets:
            before = self.settled(target)
            good, bad = read(target), change(target, origin="null")
            answers = answers_of(exchange(target, good * 3 + bad + change(target)))
            self.assertEqual([status for status, _, _ in answers], [200, 200, 200, 403])
            self.assertEqual(state_of(target.program), before)

    def test_a_body_that_ends_early_does_nothing(self):
        for target in self.targets:
            before = self.settled(target)
            self.assertEqual(exchange(target, change(target)[:-1]), b"")
            self.assertEqual(state_of(target.program), before)

    def test_the_socket_of_the_command_line_is_for_its_owner_only(self):
        for target in self.targets:
            socket_file = target.program.folder / "control.sock"
            self.assertEqual(socket_file.stat().st_mode & 0o777, 0o600)
            self.assertEqual(socket_file.parent.stat().st_mode & 0o077, 0, "others must not even reach it")
            if os.geteuid() == 0:
                self.check_other_account(socket_file)

    def check_other_account(self, socket_file):
        """Even where somebody opened the modes, the kernel says who asks."""
        folders = [folder for folder in socket_file.parents if str(folder) not in ("/", "/tmp")]
        modes = [(path, path.stat().st_mode & 0o777) for path in (socket_file, *folders)]
        try:
            for path, mode in modes:
                path.chmod(0o666 if path == socket_file else mode | 0o011)
            child = os.fork()
            if child == 0:
                os._exit(self.ask_as_nobody(socket_file))
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        finally:
            for path, mode in modes:
                path.chmod(mode)

    @staticmethod
    def ask_as_nobody(socket_file):
        """0: closed without a word."""
        try:
            os.setgroups([])
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(AT_ONCE)
                stream.connect(str(socket_file))
                try:
                    stream.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                except BrokenPipeError:
                    pass
                return 0 if receive(stream) == b"" else 1
        except Exception as failed:  # pylint: disable=broad-except
            print(failed)
            return 2

    # --- slow ---

    def drip(self, target, begin, limit, found):
        """Sends `begin`, then a byte now and then; the seconds until the program had enough."""
        began = time.monotonic()
        name, port = target.host.rsplit(":", 1)
        with socket.create_connection((name, int(port))) as stream:
            stream.sendall(begin)
            stream.settimeout(0.3)
            answer = b""
            while time.monotonic() - began < limit + SLACK:
                try:
                    piece = stream.recv(65536)
                    if not piece:
                        break
                    answer += piece
                except TimeoutError:
                    pass
                except ConnectionResetError:
                    break
                try:
                    stream.sendall(b"x")
                except (BrokenPipeError, ConnectionResetError):
                    break
        found.append((time.monotonic() - began, limit, answer))

    def idle(self, target, begin, limit, found):
        began = time.monotonic()
        name, port = target.host.rsplit(":", 1)
        with socket.create_connection((name, int(port)), timeout=limit + SLACK) as stream:
            stream.sendall(begin)
            answer = receive(stream)
        found.append((time.monotonic() - began, limit, answer))

    def test_nobody_is_waited_for_without_end(self):
        before = [self.settled(target) for target in self.targets]
        found, threads = [], []
        for target in self.targets:
            slow = [(self.drip, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", SLOW_HEAD, 20),
                    (self.drip, change(target, content_length="900000"), SLOW_BODY, 20),
                    (self.drip, b"", SLOW_HEAD, 1),
                    (self.idle, b"", SLOW_HEAD, 20),
                    (self.idle, read(target), IDLE, 5)]
            threads += [threading.Thread(target=work, args=(target, begin, limit, found))
                        for work, begin, limit, count in slow for _ in range(count)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for target in self.targets:
                asked = time.monotonic()
                (status, _, _), = answers_of(exchange(target, read(target)))
                self.assertEqual(status, 200, "an honest page meanwhile")
                self.assertLess(time.monotonic() - asked, AT_ONCE)
            time.sleep(1)
        self.assertEqual(len(found), len(threads))
        for seconds, limit, answer in found:
            self.assertLess(seconds, limit + SLACK)
            statuses = [status for status, _, _ in answers_of(answer)]
            self.assertEqual(statuses, [200] if limit == IDLE and statuses else [])
        for target, state in zip(self.targets, before):
            self.assertEqual(state_of(target.program), state)


if __name__ == "__main__":
    unittest.main()
