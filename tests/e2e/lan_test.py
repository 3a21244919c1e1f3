"""Pages for other computers: over TLS 1.3 and for people who sign in only. Plain HTTP never leaves the machine."""

import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import unittest

from hostile_pages_test import answers_of, receive
from world import PASSWORD, WANG, Agent, World, scope_of

USAGE = 2
NAME = "hub.school"


def talk(port, sent, version=ssl.TLSVersion.TLSv1_3, trusted=None):
    """What comes back, and the certificate of the other side. `trusted`: the one that IT has made known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted:
        context.load_verify_locations(cadata=trusted)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its fingerprint is compared instead
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, \
            context.wrap_socket(plain, server_hostname=NAME) as stream:
        stream.sendall(sent)
        return receive(stream), stream.getpeercert(binary_form=True)


def question(host, path="/api/v1/status", more=""):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n".encode()


class Lan(unittest.TestCase):
    def configure(self, program, text):
        (program.folder / ("hub.toml" if program.folder.name == "hub" else "agent.toml")).write_text(text)

    def refused(self, program, *words):
        done = subprocess.run([program.program, "--data", str(program.folder), *words], capture_output=True,
                              text=True, env=program.environment, timeout=60)
        self.assertEqual(done.returncode, USAGE, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_plain_http_never_leaves_this_machine(self):
        with World(agents=1) as world:
            for program, setting in ((world.hub, "[http]\nlisten = \"0.0.0.0:0\"\n"),
                                     (world.agents[0], "[api]\naddress = \"0.0.0.0\"\n")):
                program.stop()
                for text, what in ((setting, "plain HTTP"), ("[lan]\nenabled = true\n", "allowed_hosts")):
                    with self.subTest(program=program.folder.name, settings=text):
                        self.configure(program, text)
                        self.assertIn(what, self.refused(program, "config", "check"))
                        self.assertIn(what, self.refused(program, "serve"))
            self.configure(world.hub, "")
            self.assertIn("plain HTTP", self.refused(world.hub, "serve", "--http", "192.0.2.1:0"))

    def check_pages(self, program):
        lan = program.addresses["lan"]
        port, host = lan["port"], f"{NAME}:{lan['port']}"
        self.assertEqual(lan["pages"], [f"https://{host}"])
        raw, certificate = talk(port, question(host))
        shown = hashlib.sha256(certificate).hexdigest()
        self.assertEqual(lan["fingerprint"], ":".join(shown[n:n + 2] for n in range(0, 64, 2)))
        self.assertEqual(talk(port, question(host), trusted=certificate)[1], certificate, "it names the host")
        (status, told, body), = answers_of(raw)
        self.assertEqual(status, 401, body)
        self.assertEqual(json.loads(body)["error"]["code"], "unauthenticated")
        self.assertEqual(told["x-frame-options"], "DENY")
        self.assertNotIn("strict-transport-security", told)
        for name in ("127.0.0.1", "localhost", "evil.example", "hub.school.evil.example"):
            (status, _, _), = answers_of(talk(port, question(f"{name}:{port}"))[0])
            self.assertEqual(status, 421, name)
        (status, _, _), = answers_of(talk(port, question(host, more=f"Origin: http://{host}\r\n"))[0])
        self.assertEqual(status, 403, "a plain page is another one")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
            plain.sendall(question(host))
            self.assertNotIn(b"HTTP/1.", receive(plain))
        with self.assertRaises((ssl.SSLError, OSError)):
            talk(port, question(host), ssl.TLSVersion.TLSv1_2)
        key = program.folder / "pages.pem"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        return lan["fingerprint"]

    def test_pages_need_tls_a_name_and_a_sign_in(self):
        with World(agents=1) as world:
            for program in (world.hub, world.agents[0]):
                with self.subTest(program=program.folder.name):
                    program.stop()
                    self.configure(program, "[lan]\nenabled = true\naddress = \"0.0.0.0\"\nport = 0\n"
                                            f"allowed_hosts = [\"{NAME}\"]\n")
                    self.assertTrue(program.run("config", "check")["settings"]["lan"]["enabled"])
                    program.start()
                    first = self.check_pages(program)
                    program.stop()
                    program.start()
                    self.assertEqual(self.check_pages(program), first, "people compare it once")

    def test_by_name_only_means_at_the_machine_itself(self):
        with World(agents=0) as world:
            ticket = world.hub.ticket(world.folder / "new.ticket", scope_of("sch-001"), name="new")
            world.hub.stop()
            agent = Agent(world.folder / "new").enrol(ticket)
            self.configure(agent, f"[lan]\nenabled = true\nport = 0\nallowed_hosts = [\"{NAME}\"]\n")
            world.agents.append(agent.start())
            port = agent.addresses["lan"]["port"]
            body = json.dumps({"user": WANG, "password": PASSWORD, "provisional": True})
            json_head = {"Content-Type": "application/json"}
            for _ in range(2):
                more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                asked = question(f"{NAME}:{port}", "/api/v1/session", more).replace(b"GET", b"POST", 1) + body.encode()
                (status, _, answer), = answers_of(talk(port, asked)[0])
                self.assertEqual((status, json.loads(answer)["error"]["detail"].split(":")[0]), (403, "not_here"))
                (status, _, answer), = answers_of(talk(port, question(f"{NAME}:{port}", "/api/v1/session"))[0])
                self.assertEqual((status, json.loads(answer)["provisional"]), (200, False))
                # Nor does it help that somebody has come by name at the machine.
                status, headers, _ = agent.exchange("POST", "/session", body.encode(), json_head)
                self.assertEqual(status, 200)
                cookie = headers["set-cookie"].split(";")[0]
                self.assertEqual(agent.exchange("GET", "/records", headers={"Cookie": cookie})[0], 200)
                asked = question(f"{NAME}:{port}", "/api/v1/records", f"Cookie: {cookie}\r\n")
                self.assertEqual(answers_of(talk(port, asked)[0])[0][0], 401)

    def test_nothing_is_open_to_the_network_by_default(self):
        with World(agents=1) as world:
            for program in (world.hub, world.agents[0]):
                self.assertIsNone(program.addresses["lan"])
                self.assertFalse((program.folder / "pages.pem").exists())
                host = "127.0.0.2"  # another address of this machine stands for another machine
                port = program.addresses.get("http_port") or program.addresses["port"]
                connection = http.client.HTTPConnection(host, port, timeout=5)
                with self.assertRaises(OSError):
                    connection.request("GET", "/api/v1/status")


if __name__ == "__main__":
    unittest.main()
