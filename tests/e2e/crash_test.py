"""kill -9 of any process at any moment, then start again: nothing saved or acknowledged is missing."""

import os
import random
import threading
import unittest

from world import CUT, Refused, World, texts_at

KILLS = int(os.environ.get("DUHUI_KILLS", "200"))
SEED = int(os.environ.get("DUHUI_SEED", "20251009"))


class KillNine(unittest.TestCase):
    def test_nothing_saved_or_acknowledged_is_missing(self):
        dice = random.Random(SEED)
        with World(agents=3) as world:
            visits = [world.new_visit(agent) for agent in world.agents]
            world.settle()
            for kill in range(KILLS):
                self.one_kill(world, visits, dice, kill)
            world.settle()
            saved = set().union(*(agent.saved for agent in world.agents))
            for program in (world.hub, *world.agents):
                missing = saved - texts_at(program, visits)
                self.assertFalse(missing, f"seed {SEED}: {program.folder.name} lacks {missing}")
            print(f"{KILLS} kills, {len(saved)} saves, 0 lost")

    def one_kill(self, world, visits, dice, kill):
        victim = dice.choice([world.hub, *world.agents])
        killer = threading.Timer(dice.uniform(0, 0.04), victim.process.kill)
        killer.start()
        for _ in range(dice.randrange(1, 5)):
            agent = dice.choice(world.agents)
            try:
                world.save(agent, dice.choice(visits))
            except CUT:
                if agent is not victim:
                    raise
                break  # nobody was told that it is saved
            except Refused as refused:
                self.fail(f"kill {kill}: {refused}")
        killer.join()
        victim.kill()
        victim.start()
        if victim is not world.hub:
            missing = victim.saved - texts_at(victim, visits)
            self.assertFalse(missing, f"kill {kill} (seed {SEED}): {victim.folder.name} lost {missing}")


if __name__ == "__main__":
    unittest.main()
