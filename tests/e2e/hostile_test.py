"""Garbage to the hub's port from 50 connections: no crash, bounded memory, honest agents unaffected."""

import os
import pathlib
import random
import socket
import ssl
import struct
import threading
import time
import unittest

from world import World, texts_at

SECONDS = float(os.environ.get("DUHUI_HOSTILE_SECONDS", "15"))
CONNECTIONS = 50


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


class Hostile(unittest.TestCase):
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

            threads = [threading.Thread(target=attacker, args=(n,)) for n in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            honest = 0
            while time.monotonic() < until:
                world.save(world.agents[honest % 2], visit)
                honest += 1
                time.sleep(0.05)
            for thread in threads:
                thread.join()
            world.settle()
            self.assertIsNone(world.hub.process.poll(), "the hub ended")
            grown = self.memory(world.hub) - before
            # A sanitizer keeps what was freed.
            maps = pathlib.Path(f"/proc/{world.hub.process.pid}/maps").read_text()
            limit = 500_000 if "libasan" in maps or "libtsan" in maps else 100_000
            self.assertLess(grown, limit, "KB more after the attack")
            saved = world.agents[0].saved | world.agents[1].saved
            for program in (world.hub, *world.agents):
                self.assertFalse(saved - texts_at(program, [visit]), program.folder.name)
            print(f"{sum(tried)} hostile connections in {SECONDS:.0f} s, {honest} honest saves, hub {grown:+} KB")

    @staticmethod
    def memory(program):
        with open(f"/proc/{program.process.pid}/status", encoding="utf-8") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    unittest.main()
