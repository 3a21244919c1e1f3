"""What is said of records and files: saved here, delivered, merged - by the hub's signed receipts and by nothing else; what a
month's bytes allow; files that somebody elsewhere wants to see; what lies somewhere for nothing."""

import hashlib
import os
import re
import time
import unittest

from world import WANG, Agent, Refused, World, scope_of

CODE = re.compile(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$")


class Delivery(unittest.TestCase):
    def setUp(self):
        self.world = World(agents=0)
        self.addCleanup(self.world.__exit__, None, None, None)
        self.laptop = self.new_laptop("laptop")

    def new_laptop(self, name):
        """Of the supervisor herself."""
        ticket = self.world.folder / f"{name}.ticket"
        self.world.hub.run("ticket", "create", "--out", str(ticket), "--supervisor", "sup-001", "--name", name)
        laptop = Agent(self.world.folder / name).enrol(ticket).start()
        laptop.meet(WANG)
        laptop.sync()
        self.world.agents.append(laptop)
        return laptop

    def wait(self, what, patience=30):
        until = time.monotonic() + patience
        while True:
            found = what()
            if found:
                return found
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def put(self, agent, content):
        """A file on that device, as an upload leaves it."""
        name = hashlib.sha256(content).hexdigest()
        folder = agent.folder / "blobs" / name[:2]
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / name).write_bytes(content)
        return name

    def attach(self, agent, visit, content):
        name = self.put(agent, content)
        agent.edit(visit, WANG, [{"do": "add", "field": "attachments", "value": {
            "id": name[:8], "file_name": "操场.jpg", "mime": "image/jpeg", "by": WANG, "sha256": name,
            "size": len(content)}}])
        return name

    def delivery(self, agent, visit):
        return agent.get(f"/records/{visit}/delivery")

    def file(self, agent, visit, name):
        return next(f for f in self.delivery(agent, visit)["files"] if f["sha256"] == name)

    def fetch(self, agent, visit, name):
        return agent.ask("POST", f"/records/{visit}/fetch", {"sha256": name}, person=WANG)

    def delivered(self, agent, visit, name):
        return self.wait(lambda: self.file(agent, visit, name)["state"] == "delivered")

    def test_saved_then_delivered_then_merged_with_the_receipts_of_the_hub(self):
        self.laptop.online(False)
        visit = self.world.new_visit(self.laptop)
        content = os.urandom(300_000)
        name = self.attach(self.laptop, visit, content)
        told = self.delivery(self.laptop, visit)
        self.assertEqual((told["state"], told["receipt"]), ("saved", None))
        self.assertEqual(told["words"]["zh"], "已存本机，尚未送达中心")
        file = self.file(self.laptop, visit, name)
        self.assertEqual((file["state"], file["here"], file["hub_bytes"], file["receipt"]), ("saved", True, 0, None))
        status = self.laptop.get("/status")
        waits = status["transfer"]
        self.assertEqual((waits["files_waiting"], waits["bytes_waiting"]), (1, 300_000))
        self.assertEqual(waits["ops_waiting"], status["unacknowledged"])
        self.assertGreaterEqual(waits["ops_waiting"], 2)
        self.assertIn("待送文件: 1", self.laptop.say("--lang", "zh", "status"))

        self.laptop.online(True)
        self.laptop.sync()
        self.delivered(self.laptop, visit, name)
        told = self.delivery(self.laptop, visit)
        self.assertEqual((told["state"], told["words"]["zh"], told["held"]), ("merged", "中心已处理", []))
        self.assertRegex(told["receipt"]["code"], CODE)
        file = self.file(self.laptop, visit, name)
        self.assertEqual(file["hub_bytes"], 300_000)
        self.assertRegex(file["receipt"]["code"], CODE)
        after = self.laptop.get("/status")["transfer"]
        self.assertEqual((after["files_waiting"], after["bytes_waiting"]), (0, 0))
        self.assertEqual(after["counters"]["file_receipts"], 1)
        self.assertGreaterEqual(after["counters"]["piece_bytes_sent"], 300_000)
        self.assertGreaterEqual(after["month"]["files"], 300_000)
        self.assertGreater(after["month"]["carrying"], 0)
        self.assertIsNotNone(after["last_success"])
        # A restart changes nothing of it.
        month = after["month"]["total"]
        self.laptop.stop()
        self.laptop.start()
        self.assertEqual(self.file(self.laptop, visit, name)["receipt"], file["receipt"])
        self.assertEqual(self.delivery(self.laptop, visit)["state"], "merged")
        self.assertGreaterEqual(self.laptop.get("/status")["transfer"]["month"]["total"], month)

        hub = self.world.hub
        files = hub.get("/status")["files"]
        self.assertEqual((files["whole"], files["bytes"], files["counters"]["receipts"]), (1, 300_000, 1))
        device = next(d for d in hub.get("/devices")["devices"] if d["name"] == "laptop")
        self.assertEqual((device["files"]["brought"], device["files"]["bytes"]), (1, 300_000))

    def test_a_file_comes_to_another_laptop_when_somebody_wants_to_see_it(self):
        other = self.new_laptop("other")
        visit = self.world.new_visit(self.laptop)
        content = os.urandom(200_000)
        name = self.attach(self.laptop, visit, content)
        self.laptop.sync()
        other.sync()
        self.assertEqual(self.delivery(other, visit)["state"], "from_hub")
        self.assertEqual(self.file(other, visit, name)["state"], "elsewhere")
        self.delivered(self.laptop, visit, name)
        asked = self.fetch(other, visit, name)
        self.assertEqual(asked["fetch"], {"state": "asked", "detail": ""})
        file = self.wait(lambda: (f := self.file(other, visit, name))["here"] and f)
        self.assertEqual((file["state"], file["fetch"]), ("from_hub", None))
        # It is a draft: what lies on the disk is locked, and opens for her.
        self.assertFalse((other.folder / "blobs" / name[:2] / name).exists())
        self.assertTrue((other.folder / "locked" / name[:2] / name).exists())
        self.assertTrue(self.fetch(other, visit, name)["here"])
        self.assertEqual(other.get("/status")["transfer"]["counters"]["files_fetched"], 1)
        # Only what the record names, and only while there is a hub.
        with self.assertRaises(Refused) as refused:
            self.fetch(other, visit, "0" * 64)
        self.assertEqual(refused.exception.status, 404)

    def test_on_the_schools_pc_a_file_of_a_record_that_is_hidden_there_is_refused_and_said_so(self):
        school = self.world.new_agent("school", scopes=[scope_of("sch-001")])
        self.world.agents.append(school)
        visit = self.world.new_visit(self.laptop)
        name = self.attach(self.laptop, visit, os.urandom(70_000))
        self.laptop.sync()
        self.delivered(self.laptop, visit, name)
        school.sync()
        self.fetch(school, visit, name)
        file = self.wait(lambda: (f := self.file(school, visit, name))["fetch"]["state"] == "failed" and f)
        self.assertFalse(file["here"])
        self.assertFalse((school.folder / "blobs" / name[:2] / name).exists())

    def test_files_wait_when_the_month_is_used_up_and_text_does_not(self):
        settings = self.laptop.folder / "agent.toml"
        self.laptop.stop()
        settings.write_text("[link]\nmonthly_bytes = 1000\n")
        self.laptop.start()
        self.laptop.sync()
        visit = self.world.new_visit(self.laptop)
        name = self.attach(self.laptop, visit, os.urandom(50_000))
        self.laptop.sync()
        self.assertEqual(self.delivery(self.laptop, visit)["state"], "merged")
        transfer = self.laptop.get("/status")["transfer"]
        self.assertEqual((transfer["month"]["state"], transfer["month"]["files_may_go"]), ("used_up", False))
        self.assertEqual((transfer["files_waiting"], transfer["counters"]["pieces_sent"]), (1, 0))
        self.assertIn("本月流量已用完", self.laptop.say("--lang", "zh", "status"))
        self.assertRegex(transfer["network"], "^[0-9a-f]{16}$")
        # This network costs nothing: the operator takes its name from the status.
        self.laptop.stop()
        settings.write_text(f"[link]\nmonthly_bytes = 1000\nfree_networks = [\"{transfer['network']}\"]\n")
        self.laptop.start()
        self.laptop.sync()
        self.delivered(self.laptop, visit, name)
        free = self.laptop.get("/status")["transfer"]
        self.assertEqual(free["month"]["state"], "free_road")
        self.assertGreaterEqual(free["free_bytes"]["files"], 50_000)
        self.assertEqual(free["month"]["files"], transfer["month"]["files"], "nothing of it counts")

    def test_what_lies_somewhere_for_nothing_is_named_and_stays(self):
        visit = self.world.new_visit(self.laptop)
        name = self.attach(self.laptop, visit, os.urandom(5_000))
        self.put(self.laptop, b"handed in, and never attached")
        self.laptop.sync()
        self.delivered(self.laptop, visit, name)
        self.laptop.stop()
        report = self.laptop.run("fsck")
        self.assertIsNone(report["files"]["unnamed"], "nobody is signed in: what the drafts name cannot be read")
        self.assertEqual(report["files"]["whole"]["files"], 2)
        self.assertTrue(report["sound"])

        hub = self.world.hub
        self.put(hub, b"nobody knows it")
        found = hub.ask("POST", "/verify", {})
        self.assertTrue(found["ok"], found["problems"])
        self.assertEqual(found["files"]["unnamed"]["files"], 1)
        self.assertEqual(found["files"]["whole"], 2)
        # What was signed for and is gone is a problem.
        (hub.folder / "blobs" / name[:2] / name).unlink()
        found = hub.ask("POST", "/verify", {})
        self.assertFalse(found["ok"])
        self.assertEqual(found["files"]["missing"], 1)


if __name__ == "__main__":
    unittest.main()
