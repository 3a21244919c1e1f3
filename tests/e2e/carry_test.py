"""Photos by USB stick, and half by stick and half over a network that breaks: over real sockets, with real files."""

import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from photos import has_photo, lies_at, photo_of, put_photo
from world import WANG, Agent, World, scope_of
from roads import Server

SCHOOL = scope_of("sch-001")
MIB = 1 << 20


def until(what, patience=60.0):
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > patience:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


class Cutter(Server):
    """Passes connections on to the hub at a rate, counts what goes up, and breaks for good after so many bytes."""

    def __init__(self, hub, rate=0):
        self.hub, self.rate = hub, rate
        self.up = 0
        self.breaks_at = None
        self.open = []
        super().__init__()

    def broken(self):
        return self.breaks_at is not None and self.up >= self.breaks_at

    def serve(self, raw):
        if self.broken():
            return
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        back = socket.create_connection(("127.0.0.1", self.hub.port))
        threading.Thread(target=self.down, args=(back, raw), daemon=True).start()
        try:
            while not self.broken() and (piece := raw.recv(8192)):
                back.sendall(piece)
                self.up += len(piece)
                if self.rate:
                    time.sleep(len(piece) / self.rate)
        finally:
            for end in (back, raw):
                end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def down(back, raw):
        try:
            while piece := back.recv(65536):
                raw.sendall(piece)
            raw.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class PhotosByStick(unittest.TestCase):
    maxDiff = 2000

    def world(self):
        world = self.enterContext(World(agents=0)) if hasattr(self, "enterContext") else None
        if world is None:
            world = World(agents=0)
            world.__enter__()
            self.addCleanup(world.__exit__, None, None, None)
        self.stick = world.folder / "stick"
        self.stick.mkdir()
        return world

    def agent_at(self, world, address="", name="school"):
        ticket = world.hub.ticket(world.folder / f"{name}.ticket", SCHOOL, name=name, address=address)
        agent = Agent(world.folder / name).enrol(ticket).start()
        self.addCleanup(agent.kill)
        agent.saved = set()
        agent.meet(WANG)
        agent.sync()
        return agent

    def files(self):
        return sorted(self.stick.glob("*.dhb"))

    def clear(self):
        for file in self.stick.iterdir():
            file.unlink()

    def back(self, world, agent):
        """The hub's answer, carried back."""
        self.clear()
        world.hub.run("bundle", "export", "--device", "school", str(self.stick))
        told = agent.run("bundle", "import", str(self.stick))
        self.clear()
        return told

    def test_there_and_back_shuffled_twice_and_torn(self):
        world = self.world()
        agent = self.agent_at(world)
        agent.online(False)
        visits = [world.new_visit(agent), world.new_visit(agent, visit_date="2025-10-10")]
        photos = [photo_of(size, seed) for seed, size in enumerate((300_000, 10, 700_001, 65_536))]
        for n, photo in enumerate(photos):
            put_photo(agent, visits[n % 2], photo, name=f"p-{n}")
        told = agent.run("bundle", "export", str(self.stick), "--part-size", "200KiB")
        self.assertEqual(told["attachments"], len(photos))
        self.assertGreater(len(told["files"]), 5)
        self.assertGreater(sum(part["attachments"] for part in told["files"]), len(photos), "some are in several parts")
        files = self.files()
        for file in files:
            self.assertNotIn(photos[0][1000:1100], file.read_bytes(), "sealed")
        rng = random.Random(5)
        rng.shuffle(files)
        for n, file in enumerate(files):
            if n % 2 == 0:
                shutil.copy(file, self.stick / f"{rng.randrange(10**6):06}-copy.dhb")
        whole = files[0].read_bytes()
        (self.stick / "torn.dhb").write_bytes(whole[:len(whole) * 2 // 3])
        # The parts with the photos come before the one with the records, and alone.
        later = self.stick / "later"
        later.mkdir()
        first = [f for f in self.files() if b"-p1of" in os.fsencode(f.name) or f.name.endswith("copy.dhb")]
        for file in first:
            file.rename(later / file.name)
        told = world.hub.run("bundle", "import", str(self.stick), check=False)
        waiting = [f for f in told["files"] if f["result"] == "waiting"]
        self.assertTrue(waiting)
        self.assertIn("no record of yours names it", {f["waiting_for"] for f in waiting})
        self.assertEqual((told["attachments"], told["ops"]), (0, 0))
        for file in first:
            (later / file.name).rename(file)
        later.rmdir()
        told = world.hub.run("bundle", "import", str(self.stick), check=False)
        self.assertEqual({f["path"].rsplit("/")[-1]: f["reason"]["code"] for f in told["files"]
                          if f["result"] not in ("taken", "known")}, {"torn.dhb": "corrupt_data"})
        self.assertEqual(told["attachments"], len(photos))
        # They are drafts, and lie and travel locked: 16 bytes more for each chunk.
        as_carried = sum(len(photo) + 16 * -(-len(photo) // 65_536) for photo in photos)
        self.assertEqual(sum(f.get("attachment_bytes", 0) for f in told["files"]), as_carried, "none twice")
        for photo in photos:
            self.assertTrue(has_photo(world.hub, photo))
        # Nothing counts before the receipts are back.
        self.assertEqual(agent.run("bundle", "export", str(self.stick))["attachments"], len(photos))
        told = self.back(world, agent)
        self.assertEqual([f["attachments"] for f in told["files"]], [len(photos)])
        told = agent.run("bundle", "export", str(self.stick))
        self.assertEqual((told["attachments"], told["ops"]), (0, 0))
        self.assertTrue(world.hub.post("/verify")["ok"])
        self.assertIn("附件 0", agent.say("bundle", "export", str(self.stick)))

    def test_half_over_a_network_that_breaks_and_the_rest_by_stick(self):
        world = self.world()
        with Cutter(world.hub, rate=500_000) as road:
            agent = self.agent_at(world, f"127.0.0.1:{road.port}")
            visit = world.new_visit(agent)
            agent.sync()
            photo = photo_of(8 * MIB)
            before = road.up
            road.breaks_at = before + len(photo) // 2
            put_photo(agent, visit, photo)
            until(road.broken)
            agent.online(False)
            sent = road.up - before
            told = agent.run("bundle", "export", str(self.stick))
            self.assertEqual(told["attachments"], 1)
            self.assertLess(told["bytes"], len(photo) * 0.55)
            self.assertLessEqual(sent + told["bytes"], 1.03 * len(photo))
            taken = world.hub.run("bundle", "import", str(self.stick))
            self.assertEqual(taken["attachments"], 1, taken)
            self.assertTrue(has_photo(world.hub, photo))
            self.assertEqual(self.back(world, agent)["files"][0]["attachments"], 1)

    def test_half_by_stick_and_the_rest_over_the_network(self):
        world = self.world()
        with Cutter(world.hub) as road:
            agent = self.agent_at(world, f"127.0.0.1:{road.port}")
            agent.online(False)
            visit = world.new_visit(agent)
            photo = photo_of(8 * MIB)
            put_photo(agent, visit, photo)
            agent.run("bundle", "export", str(self.stick), "--part-size", "4MiB")
            first, *others = self.files()
            for file in others:
                file.unlink()
            carried = first.stat().st_size
            taken = world.hub.run("bundle", "import", str(self.stick))
            self.assertEqual((taken["attachments"], taken["files"][0]["result"]), (0, "taken"))
            before = road.up
            agent.online(True)
            until(lambda: has_photo(world.hub, photo), 20)
            agent.sync()
            self.assertLessEqual(carried + road.up - before, 1.03 * len(photo))
            self.clear()
            until(lambda: agent.run("bundle", "export", str(self.stick))["attachments"] == 0)

    def test_a_large_file_is_never_in_memory(self):
        world = self.world()
        agent = self.agent_at(world)
        agent.online(False)
        visit = world.new_visit(agent)
        agent.stop()
        world.hub.stop()

        def peak(program, *words):
            """What it told, and the most memory it ever had."""
            out = world.folder / "told.json"
            with open(out, "wb") as told:
                work = subprocess.Popen([program.program, "--data", str(program.folder), "--json", *words],
                                        stdout=told, env=program.environment)
            most = 0
            while work.poll() is None:
                status = Path(f"/proc/{work.pid}/status").read_text()
                most = max([most] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
                time.sleep(0.005)
            self.assertEqual(work.returncode, 0, out.read_text())
            return json.loads(out.read_text()), most

        _, small = peak(agent, "bundle", "export", str(self.stick))
        _, small_hub = peak(world.hub, "bundle", "import", str(self.stick))
        self.clear()
        agent.start()
        photo = photo_of(96 * MIB)
        put_photo(agent, visit, photo)
        agent.stop()
        told, large = peak(agent, "bundle", "export", str(self.stick))
        self.assertEqual(told["attachments"], 1)
        self.assertGreater(told["bytes"], len(photo))
        taken, large_hub = peak(world.hub, "bundle", "import", str(self.stick))
        self.assertEqual(taken["attachments"], 1)
        self.assertTrue(has_photo(world.hub, photo))
        self.assertLess(large - small, 24 << 10, "KiB")
        self.assertLess(large_hub - small_hub, 24 << 10, "KiB")

    def test_a_damaged_file_does_not_keep_the_records_back(self):
        world = self.world()
        agent = self.agent_at(world)
        agent.online(False)
        visit = world.new_visit(agent)
        photo, other = photo_of(200_000), photo_of(150_000, 2)
        put_photo(agent, visit, photo, name="p-1")
        put_photo(agent, visit, other, name="p-2")
        os.truncate(lies_at(agent, photo), 70_000)
        told = agent.run("bundle", "export", str(self.stick))
        self.assertGreater(told["ops"], 0)
        taken = world.hub.run("bundle", "import", str(self.stick))
        self.assertEqual(taken["attachments"], 1)
        self.assertTrue(has_photo(world.hub, other))


if __name__ == "__main__":
    unittest.main()
