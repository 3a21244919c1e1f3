"""SIGTERM, idle and in the middle of a bulk push: each program ends in under three seconds, nothing saved is lost, and
nothing that an agent was told is durable."""

import random
import string
import time
import unittest

from world import VISIT, WANG, World, texts_at

STOP_SECONDS = 3.0
RECORDS = 800  # of one push; each with a kilobyte that does not shrink
ROUNDS_MAX = 6
# What a stopped service or a new connection needs to be asked again.
POLL_SECONDS = 0.001


class Push:
    """Records that an agent saved while its link was off, one op each."""

    def __init__(self, agent, records, dice):
        # Signing in is an op, too: of the audit log.
        agent.sign_in(WANG)
        agent.sync()
        agent.online(False)
        before = agent.get("/status")
        self.agent = agent
        self.acknowledged_before = before["acknowledged"]
        assert before["unacknowledged"] == 0
        self.ids = []
        while len(self.ids) < records:
            new = [{"type": "visit_record", "as": WANG, "value": self.visit(dice)} for _ in range(200)]
            self.ids += agent.post("/records", {"records": new})["ids"]
        self.head = agent.get("/status")["head"]
        assert self.head - self.acknowledged_before == len(self.ids), "a record is more than one op"

    @staticmethod
    def visit(dice):
        # A day and a period of its own: the hub looks for duplicates.
        day = f"20{dice.randrange(20, 26)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        text = "".join(dice.choices(string.ascii_letters + string.digits, k=1000))
        return {**VISIT, "visit_date": day, "narrative": {WANG: text}}

    def begin(self):
        """Returns as soon as the hub has acknowledged something, but not yet the rest if we are lucky."""
        self.agent.online(True)
        until = time.monotonic() + 60
        while self.acknowledged() == 0:
            assert time.monotonic() < until, "nothing is acknowledged"
            time.sleep(POLL_SECONDS)

    def acknowledged(self):
        return self.agent.get("/status")["acknowledged"] - self.acknowledged_before

    def at(self, program):
        """Which of the records the program holds."""
        listed = {row["id"] for row in program.listed(type="visit_record")}
        return [record in listed for record in self.ids]


class GracefulStop(unittest.TestCase):
    def stop(self, program):
        seconds = program.stop()
        self.assertLess(seconds, STOP_SECONDS, program.folder.name)
        return seconds

    def in_the_middle(self, one_round):
        """Rounds of growing size until the stop has come between the first and the last acknowledgement."""
        dice = random.Random(20251009)
        with World(agents=1) as world:
            for number in range(ROUNDS_MAX):
                push = Push(world.agents[0], RECORDS * (number + 1), dice)
                push.begin()
                seconds, done = one_round(world, push)
                world.settle()
                for program in (world.hub, push.agent):
                    self.assertEqual(push.at(program).count(False), 0, f"{program.folder.name} lacks records")
                self.assertEqual(push.agent.get("/status")["unacknowledged"], 0)
                self.assertEqual(push.agent.get("/status")["incarnation"], 1, "the hub had lost what it acknowledged")
                if 0 < done < len(push.ids):
                    print(f"stopped in {seconds:.2f} s with {done} of {len(push.ids)} records delivered")
                    self.assertTrue(world.hub.post("/verify", timeout=300).get("ok", True))
                    return
        self.fail(f"{ROUNDS_MAX} pushes were over before the stop")

    def test_a_hub_in_the_middle_of_a_push_keeps_all_it_acknowledged(self):
        def one_round(world, push):
            seconds = self.stop(world.hub)
            push.agent.online(False)
            told = push.acknowledged()
            world.hub.start()  # alone: what it has now, it has from its disk
            held = push.at(world.hub)
            self.assertEqual(held[:told].count(False), 0, "acknowledged, but gone")
            push.agent.online(True)
            return seconds, told
        self.in_the_middle(one_round)

    def test_an_agent_in_the_middle_of_a_push_keeps_all_it_saved(self):
        def one_round(world, push):
            seconds = self.stop(push.agent)
            done = push.at(world.hub).count(True)
            world.hub.stop()
            push.agent.start()  # alone: what it has now, it has from its disk
            self.assertEqual(push.agent.get("/status")["head"], push.head)
            self.assertEqual(push.at(push.agent).count(False), 0, "saved, but gone")
            self.assertLessEqual(push.acknowledged(), done, "acknowledged what the hub does not have")
            world.hub.start()
            return seconds, done
        self.in_the_middle(one_round)

    def test_both_at_once(self):
        def one_round(world, push):
            seconds = max(self.stop(push.agent), self.stop(world.hub))
            world.hub.start()
            done = push.at(world.hub).count(True)
            world.hub.stop()
            push.agent.start()
            self.assertEqual(push.at(push.agent).count(False), 0, "saved, but gone")
            self.assertLessEqual(push.acknowledged(), done, "acknowledged what the hub does not have")
            world.hub.start()
            return seconds, done
        self.in_the_middle(one_round)

    def test_idle_programs(self):
        with World(agents=2) as world:
            visit = world.new_visit(world.agents[0])
            world.settle()
            for _ in range(20):
                world.save(world.agents[0], visit)
            for program in (world.agents[0], world.hub):
                self.stop(program)
                program.start()
            world.settle()
            for program in (world.hub, *world.agents):
                self.assertEqual(texts_at(program, [visit]), world.agents[0].saved)


if __name__ == "__main__":
    unittest.main()
