"""A road of 20 kbit/s with 600 ms round trip and 10 % loss, as real TCP sees it (tests/support/slow_link.py), and both programs
over it.
"""

import socket
import sys
import time
import unittest

from world import OFFICER, WANG, Agent, World, status_at  # puts duhui on the path
from slow_link import Road, SlowLink, missing


class Links(unittest.TestCase):
    def exchange(self, road, packets, seed, size=500):
        """When each of `packets` datagrams, sent at once, arrived at the far side; nothing for one that did not."""
        with SlowLink(road, seed=seed) as link:
            link.open()
            far = link.far.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            near = link.near.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            far.bind((link.far.address, 0))
            far.settimeout(3)
            began = time.monotonic()
            for number in range(packets):
                near.sendto(number.to_bytes(4, "big") + bytes(size - 4 - 28), far.getsockname())
            arrived = {}
            try:
                while len(arrived) < packets:
                    number = int.from_bytes(far.recv(2000)[:4], "big")
                    arrived[number] = time.monotonic() - began
            except TimeoutError:
                pass
            near.close()
            far.close()
            return arrived

    def test_it_is_slow_narrow_and_loses_the_same_for_the_same_seed(self):
        arrived = self.exchange(Road(delay_ms=300), 1, seed=1)
        self.assertGreaterEqual(arrived[0], 0.3)
        arrived = self.exchange(Road(rate_bits=80_000), 20, seed=1)  # 500 bytes are 50 ms
        self.assertEqual(sorted(arrived), list(range(20)))
        self.assertGreaterEqual(arrived[19], 1.0)
        self.assertEqual(list(arrived), sorted(arrived), "in their order")
        lossy = [self.exchange(Road(loss=0.3), 40, seed) for seed in (1, 1, 2)]
        self.assertEqual(list(lossy[0]), list(lossy[1]))
        self.assertNotEqual(list(lossy[0]), list(lossy[2]))
        self.assertTrue(15 <= len(lossy[0]) < 40, lossy[0])
        short = self.exchange(Road(rate_bits=80_000, queue_bytes=2_600), 20, seed=1)
        self.assertEqual(sorted(short), list(range(5)))

    def test_records_come_through_and_nothing_before_it_opens(self):
        with World(agents=0) as world, SlowLink(Road(20_000, 300, 0, 0.1), seed=3) as link:
            hub = world.hub
            hub.stop()
            hub.listens, hub.port = link.far.address, 0
            link.far.call(hub.start)
            ticket = hub.ticket(world.folder / "t.ticket", *world.scopes, name="far",
                                address=f"{link.far.address}:{hub.port}")
            agent = Agent(world.folder / "far").enrol(ticket)
            world.agents.append(agent)
            link.near.call(agent.start)
            # Its own pages, and through them its people, are in its namespace.
            agent.meet(WANG, OFFICER)
            link.open()
            agent.sync(60_000)
            link.shut()
            passed = link.to_far.passed.packets
            visits = link.near.call(lambda: [world.new_visit(agent) for _ in range(8)])
            self.assertGreaterEqual(agent.get("/status")["unacknowledged"], 8)
            self.assertEqual(link.to_far.passed.packets, passed)
            agent.online(False)
            link.open()
            agent.online(True)
            until = time.monotonic() + 120
            while agent.get("/status")["unacknowledged"]:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)
            for visit in visits:
                self.assertEqual(link.far.call(lambda name=visit: status_at(hub, OFFICER, f"/records/{name}")), 200)
            self.assertGreater(link.to_far.passed.lost + link.to_near.passed.lost, 0)


if __name__ == "__main__":
    if lacking := missing():
        print(f"跳过 / skipped: {lacking}")
        sys.exit(77)
    unittest.main()
