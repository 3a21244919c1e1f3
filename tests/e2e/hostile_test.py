"""Garbage to the hub's port from 50 connections, and worse from devices that are enrolled: no crash, bounded memory,
honest agents unaffected.

What the enrolled ones send is made by hostile_devices (hostile_frames.cc), because it must be signed: zip bombs, columns
that are none, batches cut off, too large, wrongly counted, more than the credit.
"""

import json
import os
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

from world import BUILD, World, scope_of, texts_at

SECONDS = float(os.environ.get("DUHUI_HOSTILE_SECONDS", "15"))
CONNECTIONS = 50
ENROLLED = 6
HOSTILE_DEVICES = BUILD / "tests" / "e2e" / "hostile_devices"
# Of each kind that hostile_frames.cc knows.
KINDS = ("bomb: ", "columns: a bomb", "columns: garbage", "columns: some bytes changed", "columns: cut off",
         "columns: other counts", "wrong counts", "from far ahead", "a frame cut off", "a payload cut off", "a frame over the limit",
         "forged", "flood: more bytes", "flood: batches", "flood: pings", "questions", "strange ops", "honest ops")
# The scope of the attackers: no honest device reads it.
ELSEWHERE = scope_of("sch-032")


def tls(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    return context.wrap_socket(raw)


def upgrade(stream):
    stream.sendall(b"GET /sync/v1 HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Protocol: duhui.sync.v1\r\n\r\n")
    stream.recv(4096)


def posted(port, size):
    """What the hub says to a stranger who announces a body of this size on the port for devices."""
    with tls(port) as stream:
        stream.sendall(f"POST /sync/v1 HTTP/1.1\r\nHost: hub\r\nContent-Length: {size}\r\n\r\n".encode()
                       + b"x" * min(size, 4096))
        return stream.recv(4096).split(b"\r\n")[0]


def message(payload, claimed=None):
    size = len(payload) if claimed is None else claimed
    head = struct.pack("!BBQ", 0x82, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def attacks(dice, port):
    """One hostile connection, of one of the kinds."""
    kind = dice.randrange(5)
    if kind == 0:  # not even TLS
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(dice.randbytes(dice.randrange(1, 4000)))
            return
    with tls(port) as stream:
        if kind == 1:  # not HTTP
            stream.sendall(dice.randbytes(dice.randrange(1, 4000)))
            return
        upgrade(stream)
        if kind == 2:  # frames that are none
            for _ in range(20):
                stream.sendall(message(dice.randbytes(dice.randrange(0, 2000))))
        elif kind == 3:  # announced far too large, or cut in the middle
            stream.sendall(message(b"x" * 100, claimed=dice.choice([1 << 40, 1 << 21, 5000])))
        else:  # a frame of a kind only hubs send, repeated fields without end
            stream.sendall(message(b"\x12\x00" * dice.randrange(1, 5000)))


class EnrolledAttackers:
    """Devices of another school, each with a ticket of its own."""

    def __init__(self, world):
        tickets = [str(world.hub.ticket(world.folder / f"hostile-{n}.ticket", ELSEWHERE, name=f"hostile-{n}"))
                   for n in range(ENROLLED)]
        self.process = subprocess.Popen([str(HOSTILE_DEVICES), str(int(SECONDS)), ELSEWHERE, *tickets],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def told(self):
        out, errors = self.process.communicate(timeout=SECONDS + 600)
        return json.loads(out), errors


class Hostile(unittest.TestCase):
    def test_the_port_for_devices_holds_next_to_nothing_for_strangers(self):
        with World(agents=0) as world:
            self.assertIn(b" 200 ", posted(world.hub.port, 100))
            for size in (5_000, 3 << 20, 8 << 20):
                self.assertIn(b" 413 ", posted(world.hub.port, size))

    def test_nobody_else_notices(self):
        with World(agents=2) as world:
            visit = world.new_visit(world.agents[0])
            world.settle()
            before = self.memory(world.hub)
            until = time.monotonic() + SECONDS
            tried = [0] * CONNECTIONS

            def attacker(number):
                dice = random.Random(number)
                while time.monotonic() < until:
                    try:
                        attacks(dice, world.hub.port)
                    except (OSError, ssl.SSLError):
                        pass
                    tried[number] += 1

            enrolled = EnrolledAttackers(world)
            threads = [threading.Thread(target=attacker, args=(n,)) for n in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            honest, slowest = 0, 0.0
            while time.monotonic() < until:
                text = world.save(world.agents[honest % 2], visit)
                if honest % 20 == 0:
                    slowest = max(slowest, self.arrives(world.agents[1 - honest % 2], visit, text))
                honest += 1
                time.sleep(0.05)
            for thread in threads:
                thread.join()
            answers, errors = enrolled.told()
            world.settle()
            self.assertIsNone(world.hub.process.poll(), "the hub ended")
            grown = self.memory(world.hub) - before
            peak = self.memory(world.hub, "VmHWM") - before
            # A sanitizer keeps what was freed.
            maps = pathlib.Path(f"/proc/{world.hub.process.pid}/maps").read_text()
            sanitized = "libasan" in maps or "libtsan" in maps
            self.assertLess(grown, 500_000 if sanitized else 100_000, "KB more after the attack")
            self.assertLess(peak, 1_000_000 if sanitized else 200_000, "KB more during the attack")
            saved = world.agents[0].saved | world.agents[1].saved
            for program in (world.hub, *world.agents):
                self.assertFalse(saved - texts_at(program, [visit]), program.folder.name)
            # What the attackers left behind is sound.
            report = world.hub.post("/verify", timeout=300)
            self.assertTrue(report.get("ok", report.get("sound")), report)
            print(f"{sum(tried)} hostile connections in {SECONDS:.0f} s, {honest} honest saves, at most {slowest:.2f} s "
                  f"until the other device had one, hub {grown:+} KB, at its peak {peak:+} KB")
            for name, count in answers["attacks"].items():
                print(f"  {name}: {count['tried']} tried, {count['refused']} refused, "
                      f"{count['acknowledged']} acknowledged")
            self.judge(answers, errors)

    def judge(self, answers, errors):
        """Every kind was tried, was heard behind a welcome, and got what it deserved."""
        attacks = answers["attacks"]
        for kind in KINDS:
            self.assertTrue(any(name.startswith(kind) for name in attacks), f"{kind} was never tried: {answers}")
        self.assertEqual({name: count for name, count in attacks.items() if count["wrong"]}, {}, errors)
        self.assertEqual(answers["not_welcomed"], 0, answers)

    @staticmethod
    def arrives(agent, visit, text, patience=60.0):
        """Seconds until the agent shows the text."""
        began = time.monotonic()
        while text not in texts_at(agent, [visit]):
            if time.monotonic() - began > patience:
                raise AssertionError(f"{agent.folder.name} does not get what another device saved")
            time.sleep(0.02)
        return time.monotonic() - began

    @staticmethod
    def memory(program, what="VmRSS"):
        with open(f"/proc/{program.process.pid}/status", encoding="utf-8") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(what))


if __name__ == "__main__":
    unittest.main()
