"""The vault: what the inspected school may not read lies locked on its own PC, and opens while a supervisor is signed in.

The files of the school's PC are searched as somebody would who takes the disk out. Each search has its counterpart: what
the school may read is found by the same search.
"""

import json
import time
import unittest

from world import OFFICER, PASSWORD, WANG, Agent, Refused, World, scope_of, status_at

JSON = {"Content-Type": "application/json"}
CONTACT = "u-con-001"


def plant(word):
    """Text that a compressor leaves as it is, and that nobody finds by chance."""
    return f"{word}-" + "".join(chr(97 + (ord(c) * 7 + n * 5) % 26) for n, c in enumerate(word * 3))


def on_disk(program, text):
    """The files of a data folder that hold the text."""
    return [path.relative_to(program.folder).as_posix() for path in sorted(program.folder.rglob("*"))
            if path.is_file() and text.encode() in path.read_bytes()]


class Vault(unittest.TestCase):
    def setUp(self):
        self.world = World(agents=0)
        self.addCleanup(self.world.__exit__, None, None, None)
        self.world.hub.accounts(CONTACT)
        self.school = self.world.new_agent("school", scopes=[scope_of("sch-001")])
        self.school.people |= {CONTACT: PASSWORD}
        self.laptop = self.world.new_agent("laptop")
        self.world.agents += [self.school, self.laptop]

    def leave(self, agent, *people):
        for person in people or list(agent.sessions):
            session = agent.sessions.pop(person, None)
            if session:
                status, _, _ = agent.exchange("DELETE", "/session", b"{}", {**JSON, **session.headers})
                self.assertEqual(status, 200)

    def vault(self, agent):
        return agent.get("/status")["vault"]

    def draft(self, agent, word):
        """A draft with a paragraph and a score; their texts."""
        told, item = plant(word), plant("item" + word)
        visit = self.world.new_visit(agent)
        agent.edit(visit, WANG, [
            {"do": "set", "field": f"narrative/{WANG}", "value": told},
            {"do": "set", "field": f"scores/{item}/{WANG}", "value": 61.5}])
        return visit, told, item

    def wait(self, what, patience=20):
        until = time.monotonic() + patience
        while not what():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def test_a_draft_written_elsewhere_comes_locked_and_opens_for_the_supervisor(self):
        visit, told, item = self.draft(self.laptop, "elsewhere")
        self.leave(self.school)
        self.world.settle()
        self.assertEqual(self.vault(self.school), "locked")
        self.assertEqual(status_at(self.school, CONTACT, f"/records/{visit}"), 404)
        self.assertEqual(self.vault(self.school), "locked", "a contact does not open it")
        # Offline, at the school, with nothing but the password.
        self.school.online(False)
        self.assertEqual(self.school.record(visit)["value"]["narrative"][WANG], told)
        self.assertEqual(self.vault(self.school), "open")
        self.assertEqual(status_at(self.school, CONTACT, f"/records/{visit}"), 404, "each sees their own")
        self.leave(self.school, WANG)
        self.assertEqual(self.vault(self.school), "locked")
        self.school.kill()
        self.assertEqual(on_disk(self.school, told), [])
        self.assertEqual(on_disk(self.school, item), [])

    def test_a_draft_written_there_is_locked_on_disk_and_reaches_the_hub_all_the_same(self):
        self.school.online(False)
        visit, told, item = self.draft(self.school, "there")
        self.leave(self.school)
        self.school.kill()
        self.assertEqual(on_disk(self.school, told), [])
        self.assertEqual(on_disk(self.school, item), [])
        self.school.start()
        self.school.online(True)
        self.wait(lambda: self.school.get("/status")["unacknowledged"] == 0)
        self.assertEqual(self.vault(self.school), "locked")
        self.assertEqual(self.world.hub.record(visit)["value"]["narrative"][WANG], told)
        # The hub has its exact bytes, as signed.
        self.assertTrue(self.world.hub.run("verify", "--record", visit)["ok"])
        self.laptop.sync()
        self.assertEqual(self.laptop.record(visit)["value"]["narrative"][WANG], told)

    def test_what_is_submitted_opens_to_the_school_without_the_scores(self):
        visit, told, item = self.draft(self.laptop, "handed in")
        own, own_told, own_item = self.draft(self.school, "typed here")
        self.leave(self.school)
        self.world.settle()
        self.assertEqual(status_at(self.school, CONTACT, f"/records/{visit}"), 404)
        for one in (visit, own):
            self.laptop.edit(one, WANG, [
                {"do": "add", "field": "methods", "value": {"method": "walkthrough", "count": 1}},
                {"do": "set", "field": "unsigned_reason", "value": "校长外出"}])
            self.laptop.edit(one, WANG, [{"do": "transition", "field": "status", "value": "submitted"}])
        self.world.settle()
        self.assertEqual(self.vault(self.school), "locked")
        for one, text, hidden in ((visit, told, item), (own, own_told, own_item)):
            shown = self.school.ask("GET", f"/records/{one}", person=CONTACT)["value"]
            self.assertEqual(shown["narrative"][WANG], text)
            self.assertNotIn("scores", shown)
        self.school.stop()
        for text, hidden in ((told, item), (own_told, own_item)):
            self.assertNotEqual(on_disk(self.school, text), [], "the search finds what is there")
            self.assertEqual(on_disk(self.school, hidden), [])
        self.school.start()
        self.assertIn(item, json.dumps(self.school.record(visit)["value"]["scores"]))

    def test_a_new_supervisor_opens_it_and_one_who_left_does_not(self):
        visit, told, _ = self.draft(self.laptop, "handed over")
        self.leave(self.school)
        self.world.settle()
        self.world.hub.run("account", "disable", WANG)
        self.world.settle()
        self.assertEqual(self.school.record(visit)["id"] if self.open_by(OFFICER) else None, visit)
        self.leave(self.school)
        self.assertEqual(self.vault(self.school), "locked")
        with self.assertRaises(Refused):
            self.school.sign_in(WANG)
        self.assertEqual(self.vault(self.school), "locked")

    def open_by(self, person):
        self.school.reader = person
        self.school.sign_in(person)
        return self.vault(self.school) == "open"

    def test_a_device_that_has_nobody_to_open_it_yet_says_so_and_works(self):
        world = World(agents=0)
        self.addCleanup(world.__exit__, None, None, None)
        ticket = world.hub.ticket(world.folder / "new.ticket", scope_of("sch-001"), name="new")
        world.hub.stop()
        fresh = Agent(world.folder / "new").enrol(ticket).start()
        world.agents.append(fresh)
        self.assertEqual(fresh.get("/status")["vault"], "none")
        world.hub.start()
        fresh.meet(WANG)
        fresh.sync()
        self.assertEqual(fresh.get("/status")["vault"], "locked")
        fresh.sign_in(WANG)
        self.assertEqual(fresh.get("/status")["vault"], "open")


if __name__ == "__main__":
    unittest.main()
