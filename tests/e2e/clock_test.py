"""Clocks of 1970 and 2035: nothing is refused, and the future wins nothing it should not."""

import time
import unittest

from world import WANG, World


class WrongClocks(unittest.TestCase):
    def test_a_clock_of_1970_and_one_of_2035_lose_and_win_nothing(self):
        with World(agents=1) as world:
            offsets = {}
            for name, year in (("past", 0), ("future", 2_051_222_400)):
                offsets[name] = world.folder / f"{name}.offset"
                offsets[name].write_text(str(int((year - time.time()) * 1000)))
            past, future = (world.new_agent(name, {"DUHUI_CLOCK_OFFSET_FILE": str(offsets[name])})
                            for name in ("past", "future"))
            world.agents += [past, future]
            honest = world.agents[0]
            visit = world.new_visit(past)
            world.settle()
            # The future types first, offline; the honest clock types later and is right.
            future.online(False)
            honest.online(False)
            future.set(visit, WANG, "unsigned_reason", "2035")
            # An offset is measured as exactly as a hello travels: put a second of honest work between.
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                world.save(honest, visit)
            honest.set(visit, WANG, "unsigned_reason", "today")
            future.online(True)
            world.settle(future)
            honest.online(True)
            world.settle()
            for program in (world.hub, *world.agents):
                self.assertEqual(program.record(visit)["value"]["unsigned_reason"], "today", program.folder.name)
            # Who saw the other's value replaces it, whatever the clocks say.
            past.set(visit, WANG, "unsigned_reason", "1970, but later")
            world.settle()
            for program in (world.hub, *world.agents):
                self.assertEqual(program.record(visit)["value"]["unsigned_reason"], "1970, but later")
            flags = {d["name"]: d["flags"] for d in world.hub.get("/devices")["devices"]}
            self.assertIn("clock_skew", flags["past"])
            self.assertIn("clock_skew", flags["future"])
            self.assertNotIn("clock_skew", flags["agent-0"])
            self.assertEqual(world.hub.get("/quarantine")["quarantine"], [])


if __name__ == "__main__":
    unittest.main()
