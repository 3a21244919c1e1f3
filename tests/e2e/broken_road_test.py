"""A big file over a road that breaks every 300 kB and is narrow: what the device sends is hardly more than the file, hellos
and handshakes included, also when both programs are killed on the way.

The run of a whole evening in the scale of a test: 20 MB at 2 MB/s. DUHUI_ROAD_MB=200 is the figure we promise;
DUHUI_ROAD_RATE=20000 with DUHUI_ROAD_MB=3 is the road as it is.
"""

import hashlib
import http.client
import json
import os
import random
import struct
import subprocess
import time
import unittest
from urllib.parse import urlparse

from world import OFFICER, PASSWORD, WANG, Agent, World  # puts duhui on the path
from bad_road import BadRoad

MEGABYTES = float(os.environ.get("DUHUI_ROAD_MB", "20"))
RATE = int(os.environ.get("DUHUI_ROAD_RATE", "2000000"))  # bytes a second
ROAD = os.environ.get("DUHUI_ROAD", "auto")  # or websocket, https
BREAK_AFTER = 300_000
QUEUE = 4096  # in front of the narrow place: 2 ms of it; what waits there when the road breaks is told, not counted
# To reach: 1.03. What waits before the narrow place at a break swings with the machine; this much says that something is wrong.
AT_MOST = 1.05
KILLS = max(1, int(MEGABYTES // 50))  # each costs what had not been synced: some 100 KB


def film(size, seed):
    """An MP4 as far as its boxes go."""
    def box(kind, content):
        return struct.pack(">I", 8 + len(content)) + kind + content
    head = box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", b"x" * 100)
    return head + box(b"mdat", random.Random(seed).randbytes(size - len(head) - 8))


class BrokenRoad(unittest.TestCase):
    def setUp(self):
        self.world = World(agents=0)
        self.addCleanup(self.world.__exit__, None, None, None)
        self.road = BadRoad(self.world.hub.port, queue=QUEUE)
        self.addCleanup(self.road.close)
        ticket = self.world.hub.ticket(self.world.folder / "t.ticket", *self.world.scopes, name="far",
                                       address=f"127.0.0.1:{self.road.port}")
        self.agent = Agent(self.world.folder / "far").enrol(ticket)
        (self.agent.folder / "agent.toml").write_text(f'[link]\nroad = "{ROAD}"\n', encoding="utf-8")
        self.agent.start()
        self.world.agents.append(self.agent)
        self.agent.meet(WANG, OFFICER)
        self.agent.sync()

    def hello_bytes(self):
        """What one connection costs that brings nothing: TLS, the upgrade, the hello."""
        self.agent.online(False)
        before = self.road.up()
        self.agent.online(True)
        while self.agent.get("/status")["link"]["state"] != "live":
            time.sleep(0.01)
        return self.road.up() - before

    def attach(self, size):
        content = film(size, 5)
        path = self.world.folder / "会议.mp4"
        path.write_bytes(content)
        visit = self.world.new_visit(self.agent)
        done = subprocess.run(
            [self.agent.program, "--data", str(self.agent.folder), "--json", "attach", visit, str(path), "--as", WANG,
             "--password-file", "-"], input=PASSWORD + "\n", capture_output=True, text=True,
            env=self.agent.environment, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        attached = json.loads(done.stdout)["files"][0]
        self.assertEqual(attached["sha256"], hashlib.sha256(content).hexdigest())
        return f"/files/{attached['sha256']}?record={visit}"

    def ask_hub(self, method, address):
        """The hash of what the hub answers, and its length; nothing if it has no file for us."""
        hub = self.world.hub
        if OFFICER not in hub.sessions:
            hub.sign_in(OFFICER)
        where = urlparse(hub.base())
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        try:
            connection.request(method, where.path.rstrip("/") + address, None, hub.sessions[OFFICER].headers)
            answer = connection.getresponse()
            digest = hashlib.sha256()
            while piece := answer.read(1 << 20):
                digest.update(piece)
            return (digest.hexdigest(), int(answer.headers["Content-Length"])) if answer.status == 200 else None
        finally:
            connection.close()

    def carry(self, kills):
        """Bytes the device sent for one byte of the file."""
        size = int(MEGABYTES * 1e6)
        hello = self.hello_bytes()
        self.agent.online(False)
        address = self.attach(size)
        self.road.break_after = BREAK_AFTER
        self.road.pace(RATE)
        up, sent, down = self.road.up(), self.road.sent(), self.road.down()
        connections = len(self.road.connections)
        began = time.monotonic()
        patience = began + 60 + 8 * size / RATE
        self.agent.online(True)
        killed = 0
        while not self.ask_hub("HEAD", address):
            through = self.road.up() - up
            if killed < kills and through > size * (killed + 1) / (kills + 1):
                killed += 1
                for program in (self.agent, self.world.hub):
                    program.kill()
                for program in (self.world.hub, self.agent):
                    program.start()
            self.assertLess(time.monotonic(), patience,
                            f"{through} bytes sent of {size}: {self.agent.get('/status')['link']}")
            time.sleep(0.05)
        took = time.monotonic() - began
        self.agent.sync()
        up, sent, down = self.road.up() - up, self.road.sent() - sent, self.road.down() - down
        used = len(self.road.connections) - connections
        self.assertEqual(killed, kills)
        self.assertEqual(self.ask_hub("GET", address), (address.split("?")[0].split("/")[-1], size))
        self.assertGreaterEqual(used, size // BREAK_AFTER)
        road = self.agent.get("/status")["link"]["road"]
        print(f"\n{size / 1e6:.1f} MB, {used} connections ({road}), {killed} kills of both, {took:.0f} s: "
              f"sent {up} = {up / size:.4f} x the file; of that {hello} for each connection = {hello * used / size:.4f}, "
              f"pieces {(up - hello * used) / size:.4f}; "
              f"besides, lost before the narrow place: {(sent - up) / size:.4f}; received {down / size:.4f}")
        return up / size

    def test_what_is_sent_is_hardly_more_than_the_file(self):
        self.assertLessEqual(self.carry(kills=0), AT_MOST)

    def test_also_when_both_programs_are_killed_on_the_way(self):
        self.assertLessEqual(self.carry(kills=KILLS), AT_MOST)


if __name__ == "__main__":
    unittest.main()
