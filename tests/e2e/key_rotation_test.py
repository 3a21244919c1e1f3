"""The hub's TLS key is replaced while a device is away; and what a hub shows that is not ours.

A device follows the statements of the old keys, however long it was away and whatever its clock says. A key without a
statement, with a forged one, or with one of another hub, and a certificate that an authority would vouch for, is refused
with its reason, and nothing is sent there.
"""

import json
import socket
import ssl
import threading
import time
import unittest

from world import Agent, Hub, World, scope_of

WITHOUT = "hub key changed without a statement"
FORGED = "the statement about it is forged"


class Impostor:
    """Answers TLS with the key of another hub's folder; whoever asks for its keys gets `history`."""

    def __init__(self, folder, port, history):
        self.history = history
        self.greeted = 0  # WebSocket requests: what a device sends once it trusts
        self.asked = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            try:
                raw.settimeout(5)
                with self.context.wrap_socket(raw, server_side=True) as stream:
                    request = stream.recv(4096)
                    if b"Upgrade" in request:
                        self.greeted += 1
                    elif request.startswith(b"GET /sync/v1/keys"):
                        self.asked += 1
                        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(self.history)).encode()
                                       + b"\r\nConnection: close\r\n\r\n" + self.history)
            except (OSError, ssl.SSLError):
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


def synced(agent, patience=20.0):
    """Until everything is exchanged; the status."""
    until = time.monotonic() + patience
    while True:
        status = agent.get("/status")
        if status["link"]["caught_up"]:
            return status
        if time.monotonic() > until:
            raise AssertionError(json.dumps(status["link"], ensure_ascii=False))
        agent.online(False)
        agent.online(True)  # at once, not after the delay
        time.sleep(0.2)


class KeyRotation(unittest.TestCase):
    def test_a_device_finds_its_hub_after_two_rotations_with_a_clock_of_1970(self):
        with World(agents=1) as world:
            agent, hub = world.agents[0], world.hub
            offset = world.folder / "past.offset"
            offset.write_text(str(int(-time.time() * 1000)))
            past = world.new_agent("past", {"DUHUI_CLOCK_OFFSET_FILE": str(offset)})
            world.agents.append(past)
            waiting = world.hub.ticket(world.folder / "waiting.ticket", *world.scopes, name="waiting")
            typed = world.hub.run("ticket", "create", "--scope", scope_of("sch-001"), "--name", "typed")["code"]
            visit = world.new_visit(agent)
            world.settle()
            for one in (agent, past):
                one.stop()
            pins = [hub.addresses["pin"]]
            self.assertEqual(hub.run("key", "rotate", check=False).get("error", {}).get("code"), "unavailable",
                             "the service runs")
            hub.stop()
            for _ in range(2):
                told = hub.run("key", "rotate")
                self.assertEqual(told["old_pin"], pins[-1])
                pins.append(told["pin"])
            hub.start()
            self.assertEqual(hub.addresses["pin"], pins[-1])
            for one in (agent, past):
                one.start()
                world.save(one, visit)
                self.assertEqual(synced(one)["unacknowledged"], 0)
                kept = json.loads((one.folder / "identity.json").read_text())
                self.assertEqual(kept["hub"]["pin"], pins[-1])
            # Tickets from before the rotations stay good, also those that were typed and hold half a pin.
            for name, ticket in (("waiting", waiting), ("typed", world.folder / "typed.ticket")):
                if name == "typed":
                    ticket.write_text(typed)
                late = Agent(world.folder / name).enrol(ticket).start()
                world.agents.append(late)
                self.assertTrue(synced(late)["device"]["enrolled"])
            # And a device that was there for all of it goes on.
            world.save(agent, visit)
            synced(agent)

    def test_another_key_is_refused_with_its_reason(self):
        with World(agents=1) as world:
            agent, hub = world.agents[0], world.hub
            visit = world.new_visit(agent)
            world.settle()
            hub.stop()
            hub.run("key", "rotate")
            newest = bytes.fromhex(hub.run("key", "rotate")["pin"])
            honest = (hub.folder / "tls.history").read_bytes()
            thief = Hub(world.folder / "thief")
            thief.run("init")
            own = thief.run("key", "rotate")
            theirs = (thief.folder / "tls.history").read_bytes()
            # The newest statement, but about the thief's key.
            forged = honest.replace(newest, bytes.fromhex(own["pin"]))
            for what, history, why in (
                    ("a swapped key, nothing said about it", b"", WITHOUT),
                    ("our history, with which the key has nothing to do", honest, WITHOUT),
                    ("the history of another hub", theirs, WITHOUT),
                    ("both", honest + theirs, WITHOUT),
                    ("a forged statement", forged, FORGED),
                    ("no history", b"\xff" * 100, "key history"),
                    ("more than a history", b"x" * 200_000, "too long")):
                with self.subTest(what=what):
                    self.refused(world, thief, history, why)
            world.save(agent, visit)
            self.assertGreater(agent.get("/status")["unacknowledged"], 0, "work goes on, and waits")
            hub.start()
            self.assertEqual(synced(agent)["unacknowledged"], 0)

    def refused(self, world, thief, history, why):
        agent = world.agents[0]
        agent.online(False)
        impostor = Impostor(thief.folder, world.hub.port, history)
        try:
            agent.online(True)
            until = time.monotonic() + 15
            while impostor.asked == 0 or why not in agent.get("/status")["link"]["last_error"]:
                self.assertLess(time.monotonic(), until, agent.get("/status")["link"])
                time.sleep(0.05)
            self.assertEqual(impostor.greeted, 0, "nothing is said to a stranger")
        finally:
            agent.online(False)
            impostor.close()

    def test_a_man_in_the_middle_with_a_certificate_of_a_known_authority_gets_nothing(self):
        """The pin says all: whose name stands in a certificate and who signed it is not looked at."""
        with World(agents=1) as world:
            agent = world.agents[0]
            agent.online(False)
            world.hub.stop()
            other = Hub(world.folder / "other")
            other.run("init", "--name", "127.0.0.1")
            impostor = Impostor(other.folder, world.hub.port, b"")
            try:
                # Trusted by everything on this machine that asks authorities, the agent included.
                agent.stop()
                agent.environment["SSL_CERT_FILE"] = str(other.folder / "tls.crt")
                agent.start()
                agent.online(True)
                until = time.monotonic() + 15
                while WITHOUT not in agent.get("/status")["link"]["last_error"]:
                    self.assertLess(time.monotonic(), until, agent.get("/status")["link"])
                    time.sleep(0.05)
                self.assertEqual(impostor.greeted, 0)
            finally:
                agent.online(False)
                impostor.close()


if __name__ == "__main__":
    unittest.main()
