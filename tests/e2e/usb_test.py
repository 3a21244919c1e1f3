"""A stick between one school and the office while both services run: pages, commands, and what must not go in."""

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from world import OFFICER, PASSWORD, WANG, Agent, Refused, World
from duhui import free_port


class Usb(unittest.TestCase):
    def setUp(self):
        self.stick = Path(tempfile.mkdtemp(prefix="duhui-usb-"))

    def tearDown(self):
        shutil.rmtree(self.stick, ignore_errors=True)

    def bundles(self):
        return sorted(self.stick.glob("*.dhb"))

    def agent_with_stick(self, world, name):
        """Never online: its hub is somewhere else."""
        ticket = world.hub.ticket(world.folder / f"{name}.ticket", *world.scopes, name=name)
        agent = Agent(world.folder / name).enrol(ticket)
        (agent.folder / "agent.toml").write_text(f'[usb]\nfolders = ["{self.stick}"]\n', encoding="utf-8")
        agent.meet(WANG, OFFICER)
        world.agents.append(agent)
        return agent

    def elsewhere(self, world):
        """The hub answers under another port from now on: nobody finds it."""
        world.hub.stop()
        world.hub.port = free_port()
        world.hub.start()

    def test_there_and_back_through_the_pages(self):
        with World(agents=0) as world:
            agent = self.agent_with_stick(world, "school")
            self.elsewhere(world)
            agent.start()
            self.assertEqual([s["path"] for s in agent.get("/usb")["sticks"]], [str(self.stick)])
            # The first contact: enrolment and accounts.
            told = agent.post("/usb/export")
            self.assertEqual(told["ops"], 0)
            self.assertEqual(world.hub.post("/bundles/import", {"paths": [str(self.stick)]})["taken"], 1)
            world.hub.post("/bundles/export", {"device": "school", "target": str(self.stick)})
            back = agent.post("/usb/import", {"path": str(self.stick)})
            self.assertEqual([f["result"] for f in back["files"]], ["skipped", "taken"])
            self.assertTrue(back["files"][0]["foreign"])
            self.assertTrue(agent.get("/status")["device"]["enrolled"])
            visit = world.new_visit(agent)
            for one in self.bundles():
                one.unlink()

            # A person at the page carries; the service says what is where.
            self.assertGreater(agent.ask("POST", "/usb/export", {}, person=WANG)["ops"], 0)
            with self.assertRaises(Refused) as refused:
                agent.ask("POST", "/bundles/export", {"target": str(self.stick)}, person=WANG)
            self.assertEqual(refused.exception.status, 403)
            # The operator may, to any path.
            for noun, body in (("export", {"target": str(self.stick)}), ("import", {"paths": [str(self.stick)]})):
                status = agent.exchange("POST", f"/bundles/{noun}", json.dumps(body).encode(),
                                        {"Content-Type": "application/json"}, operator=True)[0]
                self.assertEqual(status, 200)
            with self.assertRaises(Refused):
                agent.ask("POST", "/usb/export", {"path": "/etc"}, person=WANG)
            self.assertEqual(agent.exchange("GET", "/usb")[0], 401)
            self.assertGreater(agent.get("/status")["unacknowledged"], 0)
            words = world.hub.say("bundle", "import", str(self.stick))
            self.assertIn("已导入", words)
            self.assertEqual(world.hub.record(visit)["id"], visit)
            world.hub.run("bundle", "export", "--device", "school", str(self.stick))
            self.assertIn("已送达中心", agent.say("bundle", "import", str(self.stick)))
            status = agent.get("/status")
            self.assertEqual(status["unacknowledged"], 0)
            self.assertEqual(status["receipt"]["seq"], status["head"])
            self.assertEqual({e["action"] for e in world.hub.get("/audit", limit=1000)["entries"]}
                             & {"bundle.import", "bundle.export"}, {"bundle.import", "bundle.export"})

    def test_what_is_not_for_here_is_named_and_passed_over(self):
        with World(agents=0) as world, World(agents=0) as other:
            one = self.agent_with_stick(world, "one")
            two = self.agent_with_stick(world, "two")
            self.elsewhere(world)
            for agent in (one, two):
                agent.run("bundle", "export", str(self.stick))
            foreign = other.hub.post("/bundles/import", {"paths": [str(self.stick)]})
            self.assertEqual({f["reason"]["detail"] for f in foreign["files"]}, {"bundle: for another hub"})
            self.assertEqual(other.hub.get("/devices")["devices"], [])
            world.hub.run("bundle", "import", str(self.stick))
            for file in self.bundles():
                file.unlink()
            world.hub.run("bundle", "export", "--device", "one", str(self.stick))
            words = subprocess.run([two.program, "--data", str(two.folder), "bundle", "import", str(self.stick)],
                                   capture_output=True, text=True, env=dict(two.environment, LANG="C.UTF-8"))
            self.assertIn("bundle: for another device", words.stdout)
            self.assertEqual(words.returncode, 0)
            self.assertFalse(two.run("status")["device"]["enrolled"])
            # A changed one.
            file = self.bundles()[0]
            whole = bytearray(file.read_bytes())
            whole[len(whole) // 2] ^= 1
            file.write_bytes(whole)
            told = one.run("bundle", "import", str(self.stick), check=False)
            self.assertEqual(told["files"][0]["reason"]["code"], "corrupt_data")
            self.assertFalse(one.run("status")["device"]["enrolled"])

    def test_a_typed_ticket_says_that_it_has_to_connect_first(self):
        with World(agents=0) as world:
            code = world.hub.run("ticket", "create", "--scope", world.scopes[0])["code"]
            agent = Agent(world.folder / "typed")
            agent.run("init", "--ticket-file", "-", text_input=code)
            done = subprocess.run([agent.program, "--data", str(agent.folder), "--json", "bundle", "export",
                                   str(self.stick)], capture_output=True, text=True, env=agent.environment)
            self.assertEqual(done.returncode, 4)
            self.assertIn("hub's key is not known", json.loads(done.stdout)["error"]["detail"])
            self.assertEqual(list(self.stick.iterdir()), [])
            agent.run("sync")
            agent.run("bundle", "export", str(self.stick / "mine.dhb"))
            self.assertEqual([f.name for f in self.bundles()], ["mine.dhb"])
            self.assertEqual(world.hub.run("bundle", "import", str(self.stick / "mine.dhb"))["taken"], 1)

    def test_a_revoked_device_learns_it_by_stick(self):
        with World(agents=0) as world:
            agent = self.agent_with_stick(world, "school")
            self.elsewhere(world)
            for _ in range(2):
                agent.run("bundle", "export", str(self.stick))
                world.hub.run("bundle", "import", str(self.stick))
                world.hub.run("bundle", "export", "--device", "school", str(self.stick))
                agent.run("bundle", "import", str(self.stick))
            agent.start()
            visit = world.new_visit(agent)
            world.hub.run("device", "revoke", "school")
            agent.run("bundle", "export", str(self.stick))
            told = world.hub.run("bundle", "import", str(self.stick))
            self.assertGreater(sum(f.get("quarantined", 0) for f in told["files"]), 0)
            self.assertRaises(Refused, world.hub.record, visit)
            world.hub.run("bundle", "export", "--device", "school", str(self.stick))
            back = agent.run("bundle", "import", str(self.stick))
            self.assertTrue(any(f.get("revoked") for f in back["files"]))

    def test_what_the_stick_shows(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            world.save(agent, world.new_visit(agent), "消防通道堵塞")
            agent.online(False)
            world.save(agent, world.new_visit(agent), "食堂库房")
            agent.run("bundle", "export", str(self.stick))
            bytes_on_stick = b"".join(f.read_bytes() for f in self.stick.iterdir())
            for secret in ("消防", "食堂", WANG, "sch-001", PASSWORD):
                self.assertNotIn(secret.encode(), bytes_on_stick)


if __name__ == "__main__":
    unittest.main()
