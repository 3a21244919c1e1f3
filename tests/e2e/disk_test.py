"""Damaged, copied and put-back disks: everybody starts, everything comes back, the operator is told."""

import shutil
import time
import unittest

from world import OFFICER, Agent, World, texts_at


def data_files(folder):
    """What an accident may hit: every file of the folder, the device's identity included."""
    return [path for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != ".sock" and path.name not in ("listen.json", "LOCK")]


def copy_tree(source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock", "listen.json"))


def flip(path):
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 0x40
        path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path):
    path.unlink()


class DamagedFiles(unittest.TestCase):
    def test_one_damaged_file_costs_nothing(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            visit = world.new_visit(agent)
            for _ in range(10):
                world.save(agent, visit)
            agent.sync()
            agent.online(False)
            for _ in range(10):
                world.save(agent, visit)  # not acknowledged: only this disk has them
            agent.stop()
            image = world.folder / "image"
            copy_tree(agent.folder, image)
            damaged = 0
            for path in data_files(agent.folder):
                for accident in (flip, truncate, remove):
                    shutil.rmtree(agent.folder)
                    copy_tree(image, agent.folder)
                    accident(agent.folder / path.relative_to(agent.folder))
                    agent.start()
                    agent.online(True)
                    agent.sync()
                    missing = agent.saved - texts_at(agent, [visit])
                    self.assertFalse(missing, f"{accident.__name__} {path.name}: lost {missing}")
                    self.assertFalse(agent.saved - texts_at(world.hub, [visit]), f"{accident.__name__} {path.name}")
                    agent.stop()
                    damaged += 1
            self.assertGreaterEqual(damaged, 9)
            print(f"{damaged} damaged disks, 0 lost")
            agent.start()


class CopiedFolders(unittest.TestCase):
    def setUp(self):
        self.world = World(agents=2).__enter__()
        self.first, self.second = self.world.agents
        self.visit = self.world.new_visit(self.first)
        self.world.settle()

    def tearDown(self):
        self.world.__exit__(None, None, None)

    def everywhere(self, expected):
        for program in (self.world.hub, *self.world.agents):
            # What a hub forgot comes back beside the exchange, not as part of it.
            for _ in range(100):
                missing = expected - texts_at(program, [self.visit])
                if not missing:
                    break
                time.sleep(0.1)
            self.assertFalse(missing, f"{program.folder.name} lacks {missing}")

    def flags(self):
        return {flag for device in self.world.hub.get("/devices")["devices"] for flag in device["flags"]}

    def test_an_agent_put_back_to_an_older_copy_converges_and_is_told(self):
        self.first.stop()
        copy_tree(self.first.folder, self.world.folder / "older")
        self.first.start()
        texts = {self.world.save(self.first, self.visit) for _ in range(5)}
        self.world.settle()
        self.first.stop()
        shutil.rmtree(self.first.folder)
        copy_tree(self.world.folder / "older", self.first.folder)
        self.first.start()
        self.first.online(False)
        texts |= {self.world.save(self.first, self.visit) for _ in range(3)}
        self.first.online(True)
        self.world.settle()
        self.everywhere(texts)
        self.assertTrue(self.flags() & {"rollback_detected", "fork_detected"})

    def test_a_copied_device_converges_and_is_told(self):
        self.first.stop()
        copy = Agent(self.world.folder / "copy")
        copy_tree(self.first.folder, copy.folder)
        copy.saved = set()
        copy.people, copy.reader = self.first.people, self.first.reader
        self.first.start()
        copy.start()
        self.world.agents.append(copy)
        for agent in (self.first, copy):
            agent.online(False)
            for _ in range(5):
                self.world.save(agent, self.visit)
        for agent in (self.first, copy):
            agent.online(True)
        self.world.settle()
        self.everywhere(self.first.saved | copy.saved)
        self.assertTrue(self.flags() & {"rollback_detected", "fork_detected"})

    def check_soundness(self, hub):
        """What the hub refilled is as sound as what it had; asked of the service and of the folder."""
        for _ in range(2):
            told = hub.run("verify")  # raises unless it exits with 0
            self.assertTrue(told["ok"])
            self.assertEqual(told["problems"], [])
            hub.stop()

    def test_a_hub_put_back_to_an_older_copy_converges_and_is_told(self):
        hub = self.world.hub
        hub.stop()
        copy_tree(hub.folder, self.world.folder / "hub-older")
        hub.start()
        for agent in self.world.agents:
            for _ in range(5):
                self.world.save(agent, self.visit)
        hub.saved = set()
        # No device holds this one: what comes back of the hub's own ops has a hole before it.
        hub.create("complaint", {"id": "cmp-901", "channel": "mailbox", "text": "x", "school_id": "sch-001"}, OFFICER)
        self.world.save(hub, self.visit)  # written at the hub itself, and held by the agents
        self.world.settle()
        hub.stop()
        shutil.rmtree(hub.folder)
        copy_tree(self.world.folder / "hub-older", hub.folder)
        hub.start()
        self.world.settle()
        self.everywhere(self.first.saved | self.second.saved | hub.saved)
        self.assertIn("hub_was_behind", self.flags())
        self.check_soundness(hub)


if __name__ == "__main__":
    unittest.main()
