"""Schools without any network: everything by USB stick, both ways. The hub and every device end up as over the network."""

import json
import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from round_trip_test import AS_OFFICER, FILES, OFFICER_OF_THE_CITY
from world import DATA, PASSWORD, Agent, Hub, sample, scope_of
from duhui import free_port

KINDS = ("visit_record", *FILES.values())
AGENTS = 3
# What the hub's clock says, and nothing else: the two runs are some seconds apart.
HUB_TIMES = re.compile(r'"(received_at|numbered_at|effective_at|hub_time|at)":"20\d\d-[^"]*"')


class Stick:
    """A folder that is carried back and forth."""

    def __init__(self, path):
        self.path = path
        path.mkdir()

    def files(self):
        return sorted(self.path.glob("*.dhb"))

    def shuffle(self, seed):
        """Other names, so another order; each second one twice; one torn, one foreign file among them."""
        rng = random.Random(seed)
        files = self.files()
        rng.shuffle(files)
        for n, file in enumerate(files):
            if n % 2 == 0:
                shutil.copy(file, self.path / f"{rng.randrange(10**6):06}-copy.dhb")
            file.rename(self.path / f"{rng.randrange(10**6):06}-{n}.dhb")
        whole = self.files()[0].read_bytes()
        (self.path / "torn.dhb").write_bytes(whole[:len(whole) * 2 // 3])
        (self.path / "holiday.dhb").write_bytes(b"\x89PNG not a bundle")
        (self.path / "letter.txt").write_text("not looked at")

    def clear(self):
        for file in self.path.iterdir():
            file.unlink()


def schools_of():
    """Of every record of the sample data the school, by way of what it refers to."""
    rows = {r["id"]: r for name in ("visits.jsonl", *FILES) for r in sample(name)}

    def of(row):
        if "school_id" in row:
            return row["school_id"]
        for name in ("notice_id", "problem_id", "response_id", "recheck_id", "subject_id"):
            if row.get(name) in rows:
                return of(rows[row[name]])
        return None

    return {record: of(row) for record, row in rows.items()}


class World:
    """A hub that nobody can reach, and three devices of which each has a third of the schools."""

    def __init__(self, folder, hubs):
        self.folder = folder
        self.hub = Hub(folder / "hub")
        hubs.append(self.hub)
        self.hub.run("init", "--name", "督导室")
        self.hub.port = free_port()
        self.hub.run("import", "--from", str(DATA))
        self.hub.start()
        self.school_of = schools_of()
        schools = sorted({school for school in self.school_of.values() if school})
        self.parts = [schools[n::AGENTS] for n in range(AGENTS)]
        self.hub.accounts(OFFICER_OF_THE_CITY, scopes=[(OFFICER_OF_THE_CITY, "org-430200")])
        self.agents = []
        for n, mine in enumerate(self.parts):
            ticket = self.hub.ticket(folder / f"{n}.ticket", *(scope_of(s) for s in mine), name=f"终端{n}")
            self.agents.append(Agent(folder / f"agent-{n}").enrol(ticket))
        self.hub.stop()

    def exchange(self, stick, seed, test):
        """All devices to the hub and back, by stick."""
        for agent in self.agents:
            agent.run("bundle", "export", str(stick.path), "--part-size", "64KiB")
        stick.shuffle(seed)
        told = self.hub.run("bundle", "import", str(stick.path), check=False)
        test.assertEqual({r: f for f in told["files"] for r in [f["result"]] if r in ("waiting", "fork")}, {})
        torn = [f for f in told["files"] if f["result"] == "skipped"]
        test.assertEqual({Path(f["path"]).name: f["reason"]["code"] for f in torn},
                         {"torn.dhb": "corrupt_data", "holiday.dhb": "invalid_input"})
        stick.clear()
        self.hub.run("bundle", "export", "--all", str(stick.path), "--part-size", "64KiB")
        stick.shuffle(seed + 1)
        for agent in self.agents:
            back = agent.run("bundle", "import", str(stick.path), check=False)
            own = [f for f in back["files"] if not f.get("foreign")]
            test.assertEqual({Path(f["path"]).name for f in own if f["result"] == "skipped"} - {"torn.dhb"},
                             {"holiday.dhb"}, back)
            test.assertEqual(back["unacknowledged"], 0)
        stick.clear()
        return told

    def bring_in(self):
        """The records of the term, as their authors wrote them, at the device of the school."""
        for n, agent in enumerate(self.agents):
            for name, kind in {"visits.jsonl": "visit_record", **FILES}.items():
                rows = [r for r in sample(name) if (self.school_of[r["id"]] or self.parts[0][0]) in self.parts[n]]
                file = self.folder / f"{n}-{name}"
                file.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
                if rows:
                    agent.run("record", "import", str(file), "--type", kind, *AS_OFFICER, text_input=PASSWORD)

    def exports(self, program):
        lines = {}
        for kind in KINDS:
            out = self.folder / "export.jsonl"
            asker = AS_OFFICER if isinstance(program, Agent) else ()
            program.run("record", "export", "--type", kind, "--out", str(out), *asker, text_input=PASSWORD)
            lines[kind] = HUB_TIMES.sub(r'"\1":"-"', out.read_text(encoding="utf-8"))
        return lines


class Bundles(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="duhui-bundle-"))
        self.hubs = []

    def tearDown(self):
        for hub in self.hubs:
            hub.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def test_a_term_by_stick_ends_as_over_the_network(self):
        world = World(self.folder, self.hubs)
        stick = Stick(self.folder / "stick")
        # Nobody has ever been online: the first stick enrols, the second brings the accounts.
        world.exchange(stick, 1, self)
        self.assertEqual({d["name"] for d in world.hub.run("device", "list")["devices"]}, {"终端0", "终端1", "终端2"})
        for agent in world.agents:
            status = agent.run("status")
            self.assertTrue(status["device"]["enrolled"])
            self.assertTrue(status["receipt"] or status["head"] == 0)
        world.bring_in()
        # The very same ops, once more for the network.
        twins = self.folder / "twins"
        twins.mkdir()
        for name in ("hub", *(f"agent-{n}" for n in range(AGENTS))):
            shutil.copytree(self.folder / name, twins / name, ignore=shutil.ignore_patterns("*.sock"))

        told = world.exchange(stick, 3, self)
        self.assertGreater(told["ops"], 1000)
        self.assertGreater(len({f["bundle"] for f in told["files"] if f["result"] == "taken"}), 1)
        world.exchange(stick, 5, self)
        for agent in world.agents:
            receipt = agent.run("status")["receipt"]
            self.assertEqual(receipt["seq"], agent.run("status")["head"])
        # Late and repeated ones change nothing.
        before = world.exports(world.hub)

        hub = Hub(twins / "hub")
        self.hubs.append(hub)
        hub.port = world.hub.port
        agents = [Agent(twins / f"agent-{n}") for n in range(AGENTS)]
        hub.start()
        try:
            for _ in range(2):
                for agent in agents:
                    agent.run("sync", "--wait-ms", "60000")
        finally:
            hub.stop()
        by_network = world.exports(hub)
        for kind in KINDS:
            self.assertGreater(len(before[kind]), 100)
            self.assertEqual(before[kind], by_network[kind], kind)
        for by_stick, agent in zip(world.agents, agents):
            mine, theirs = world.exports(by_stick), world.exports(agent)
            for kind in KINDS:
                self.assertEqual(mine[kind], theirs[kind], (agent.folder.name, kind))
        self.assertEqual(world.hub.run("verify")["ok"], True)


if __name__ == "__main__":
    unittest.main()
