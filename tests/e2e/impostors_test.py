"""Whoever is not who they say: a hub with another key, somebody in between, replayed hellos, stolen and forged tickets,
devices that were revoked. Over real sockets; each is refused with its reason.
"""

import hashlib
import json
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from world import BUILD, WANG, Agent, Hub, Refused, World, scope_of  # puts duhui on the path
from bad_road import BadRoad
from roads import server_context

IMPOSTORS = BUILD / "tests" / "e2e" / "impostors"
OFFICER = "u-off-430202-1"
SCHOOL = scope_of("sch-001")


def impostors(what, ticket, *instead):
    """Answers to its hellos, in order."""
    done = subprocess.run([str(IMPOSTORS), what, str(ticket), *map(str, instead)], capture_output=True, text=True,
                          timeout=120, check=True)
    return json.loads(done.stdout)


def until(what, patience=30.0):
    """Waits until `what()` is true; the seconds it took."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > patience:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)
    return time.monotonic() - began


def status_of(program, record):
    """Of the answer to whoever reads there."""
    try:
        program.record(record)
        return 200
    except Refused as refused:
        return refused.status


def link(agent):
    return agent.get("/status")["link"]


class Between(BadRoad):
    """A TLS proxy with a certificate of its own: takes everything apart, passes everything on."""

    def __init__(self, folder, port):
        key, certificate = folder / "between.key", folder / "between.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", str(key), "-out", str(certificate), "-days", "365", "-subj", "/CN=hub.example"],
                       check=True, capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        self.pin = hashlib.sha256(der).hexdigest()
        inside, outside = server_context(certificate, key), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        outside.check_hostname = False
        outside.verify_mode = ssl.CERT_NONE
        super().__init__(port, front=lambda raw: inside.wrap_socket(raw, server_side=True), back=outside.wrap_socket)


class Impostors(unittest.TestCase):
    def refused_for(self, agent, reason):
        until(lambda: reason in link(agent)["last_error"])
        self.assertNotEqual(link(agent)["state"], "live")

    def test_another_hub_at_the_same_place(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            world.hub.stop()
            other = Hub(world.folder / "other")
            other.run("init")
            other.port = world.hub.port
            other.start()
            try:
                visit = world.new_visit(agent)
                self.refused_for(agent, "refused: ")
                self.assertIn("key", link(agent)["last_error"])
                self.assertEqual(other.get("/devices")["devices"], [])
                # The visit, and in the audit log that somebody signed in for it.
                self.assertEqual(agent.get("/status")["unacknowledged"], 2)
            finally:
                other.kill()
            # Nothing was given away, nothing is lost.
            world.hub.start()
            until(lambda: agent.get("/status")["unacknowledged"] == 0, 60)
            self.assertEqual(world.hub.record(visit)["value"]["school_id"], "sch-001")

    def test_somebody_in_between(self):
        with World(agents=0) as world:
            between = Between(world.folder, world.hub.port)
            ticket = world.folder / "through.ticket"
            world.hub.run("ticket", "create", "--scope", SCHOOL, "--name", "through", "--out", str(ticket),
                          "--address", f"127.0.0.1:{between.port}")
            # Honest: it looks whom it talks to, and says nothing at all.
            agent = Agent(world.folder / "honest").enrol(ticket).start()
            world.agents.append(agent)
            self.refused_for(agent, "refused: ")
            self.assertEqual(world.hub.get("/devices")["devices"], [])
            # One that does not look: its proof is of the connection to the man, not of the man's to the hub.
            answers = impostors("hello", ticket, "127.0.0.1", between.port, between.pin)
            self.assertEqual(answers, ["hello: the device's proof does not hold"])
            self.assertGreater(between.passed(), 0)
            self.assertEqual(world.hub.get("/devices")["devices"], [])
            # The same hello, said to the hub itself, is good: nothing but the man was wrong.
            self.assertEqual(impostors("hello", ticket, "127.0.0.1", world.hub.port, world.hub.addresses["pin"]),
                             ["welcome"])
            between.close()

    def test_an_older_tls(self):
        with World(agents=0) as world:
            def shake_hands(version):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                context.minimum_version = context.maximum_version = version
                with socket.create_connection(("127.0.0.1", world.hub.port)) as raw, context.wrap_socket(raw) as stream:
                    return stream.version()

            self.assertEqual(shake_hands(ssl.TLSVersion.TLSv1_3), "TLSv1.3")
            with self.assertRaises(ssl.SSLError):
                shake_hands(ssl.TLSVersion.TLSv1_2)

    def test_a_hello_is_good_once(self):
        with World(agents=0) as world:
            ticket = world.hub.ticket(world.folder / "t.ticket", SCHOOL, uses=2)
            self.assertEqual(impostors("replay", ticket), ["welcome", "hello: the device's proof does not hold"])

    def test_tickets_that_are_not_ones_own(self):
        with World(agents=0) as world:
            # The first: a device that is enrolled already is not asked for its ticket.
            guessed = world.hub.ticket(world.folder / "guessed.ticket", SCHOOL, uses=1)
            self.assertRegex(impostors("guess", guessed)[0], "^ticket: ")
            self.assertEqual(world.hub.get("/devices")["devices"], [])
            stolen = world.hub.ticket(world.folder / "stolen.ticket", SCHOOL, uses=1)
            first, second = impostors("twice", stolen)
            self.assertEqual(first, "welcome")
            self.assertRegex(second, "^ticket: .*used")
            # One letter changed: the device itself says no.
            text = stolen.read_text()
            at = len(text) // 2
            bent = world.folder / "bent.ticket"
            bent.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
            with self.assertRaisesRegex(RuntimeError, "ticket"):
                Agent(world.folder / "bent").enrol(bent)

    def test_a_ticket_after_its_time(self):
        with tempfile.NamedTemporaryFile("w", suffix=".offset") as clock:
            def hub_clock(minutes):
                clock.seek(0)
                clock.write(f"{minutes * 60_000} 0".ljust(30) + "\n")
                clock.flush()

            with World(agents=0, environment={"DUHUI_CLOCK_OFFSET_FILE": clock.name}) as world:
                ticket = world.folder / "late.ticket"
                world.hub.run("ticket", "create", "--scope", SCHOOL, "--uses", "2", "--expires", "1h", "--out", str(ticket))
                hub_clock(61)
                self.assertEqual(impostors("hello", ticket), ["ticket: expired"])
                self.assert_stays_out(world, ticket, "ticket: expired")
                self.assertEqual(self.tickets(world), [("expired", 0)])
                # What it is refused for is the time alone.
                hub_clock(59)
                self.assertEqual(impostors("hello", ticket), ["welcome"])
                self.assertEqual(self.tickets(world), [("open", 1)])

    def test_a_ticket_that_was_revoked(self):
        with World(agents=0) as world:
            ticket = world.hub.ticket(world.folder / "revoked.ticket", SCHOOL, uses=2)
            self.assertEqual(impostors("hello", ticket), ["welcome"])
            world.hub.run("ticket", "revoke", world.hub.get("/tickets")["tickets"][0]["id"])
            self.assertEqual(impostors("other", ticket), ["ticket: revoked"])
            self.assert_stays_out(world, ticket, "ticket: revoked")
            self.assertEqual(self.tickets(world), [("revoked", 1)])
            # The device that used it in time stays one.
            self.assertEqual(impostors("hello", ticket), ["welcome"])

    def tickets(self, world):
        return [(one["state"], one["uses"]) for one in world.hub.get("/tickets")["tickets"]]

    def assert_stays_out(self, world, ticket, reason):
        """A real device with this ticket: it is told why, works on, and the hub does not know it."""
        devices = world.hub.get("/devices")["devices"]
        agent = Agent(world.folder / "refused").enrol(ticket).start()
        try:
            self.refused_for(agent, "hub: " + reason)
            self.assertFalse(agent.get("/status")["device"]["enrolled"])
            self.assertEqual(world.hub.get("/devices")["devices"], devices)
        finally:
            agent.kill()

    def test_a_revoked_device(self):
        with World(agents=2) as world:
            lost, other = world.agents
            visit = world.new_visit(lost)
            world.settle()
            device = next(d for d in world.hub.get("/devices")["devices"] if d["name"] == "agent-0")
            self.assertTrue(device["connected"])
            began = time.monotonic()
            world.hub.run("device", "revoke", "agent-0")
            until(lambda: link(lost)["state"] != "live" or link(lost)["revoked"], 5)
            ended = time.monotonic() - began
            self.assertLess(ended, 5.0)
            until(lambda: link(lost)["revoked"], 30)
            self.assertIn("吊销", lost.say("status"))
            # It works on; nobody else sees what it sends, and it sees nothing new.
            text = world.save(lost, visit)
            unseen = world.new_visit(lost)
            elsewhere = world.new_visit(other)
            other.sync()
            until(lambda: lost.get("/status")["unacknowledged"] == 0)
            rows = world.hub.get("/quarantine", kind="revoked")["quarantine"]
            self.assertEqual({row["device"] for row in rows}, {"agent-0"})
            self.assertEqual({row["person"] for row in rows}, {WANG})
            self.assertEqual({row["record"] for row in rows}, {visit, unseen})
            self.assertEqual(status_of(lost, elsewhere), 404)
            for program in (world.hub, other):
                self.assertEqual(status_of(program, unseen), 404)
                self.assertNotIn(text, json.dumps(program.record(visit)))
            # Restored, it writes normally; what is in quarantine still waits.
            world.hub.run("device", "restore", "agent-0")
            until(lambda: link(lost)["state"] == "live" and not link(lost)["revoked"], 60)
            later = world.save(lost, visit)
            lost.sync()
            self.assertIn(later, json.dumps(world.hub.record(visit)))
            until(lambda: status_of(lost, elsewhere) == 200)
            self.assertEqual(len(world.hub.get("/quarantine", kind="revoked")["quarantine"]), len(rows))
            # A person decides: the new visit arrives, the photo is set aside.
            photo = [row["dot"] for row in rows if row["record"] == visit]
            world.hub.run("quarantine", "set-aside", "--as", OFFICER, *photo)
            world.hub.run("quarantine", "accept", "--as", OFFICER, "--device", "agent-0")
            self.assertEqual(world.hub.get("/quarantine")["quarantine"], [])
            self.assertEqual(len(world.hub.get("/quarantine", kind="set_aside")["quarantine"]), len(photo))
            until(lambda: status_of(other, unseen) == 200)
            self.assertNotIn(text, json.dumps(world.hub.record(visit)))
            world.settle()
            self.assertTrue(world.hub.post("/verify")["ok"])
            print(f"a revoked device's session ended after {ended:.2f} s")


if __name__ == "__main__":
    unittest.main()
