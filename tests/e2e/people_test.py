"""People: they sign in where they work, with and without a network, and nobody else does."""

import json
import time
import unittest

from world import OFFICER, PASSWORD, VISIT, WANG, Agent, Refused, World, scope_of, status_at

JSON = {"Content-Type": "application/json"}
CONTACT = "u-con-001"
SECOND = "bailian-369"


def status_of(program, person, password):
    try:
        program.sign_in(person, password)
        return 200
    except Refused as refused:
        return refused.status


class People(unittest.TestCase):
    def test_only_who_works_there_signs_in_with_or_without_network(self):
        with World(agents=1) as world:
            world.hub.accounts(CONTACT)
            agent = world.agents[0]
            agent.sync()
            elsewhere = world.new_agent("elsewhere", scopes=[scope_of("sch-002")])
            world.agents.append(elsewhere)
            agent.online(False)
            elsewhere.online(False)
            self.assertEqual(status_of(agent, CONTACT, PASSWORD), 200)
            self.assertEqual(status_of(elsewhere, CONTACT, PASSWORD), 401, "another school's staff")
            self.assertEqual(status_of(agent, WANG, PASSWORD), 200)
            self.assertEqual(status_of(elsewhere, WANG, PASSWORD), 200)
            for password in ("", "123456", WANG, "sup.001", "password"):
                self.assertNotEqual(status_of(elsewhere, WANG, password), 200)
            visit = agent.record(world.new_visit(agent))
            self.assertTrue(visit["born"])
            # The operator of the school's machine is no supervisor.
            status, _, _ = agent.exchange("GET", f"/records/{visit['id']}", operator=True)
            self.assertEqual(status, 403)
            self.assertEqual(agent.exchange("GET", f"/records/{visit['id']}")[0], 401)

    def test_a_password_changed_offline_reaches_the_other_school(self):
        with World(agents=0) as world:
            first, second = (world.new_agent(s, scopes=[scope_of(s)]) for s in ("sch-001", "sch-002"))
            world.agents += [first, second]
            first.online(False)
            first.ask("POST", "/session/password", {"old": PASSWORD, "new": SECOND}, person=WANG)
            self.assertEqual(status_of(first, WANG, PASSWORD), 401)
            self.assertEqual(status_of(first, WANG, SECOND), 200)
            self.assertEqual(status_of(second, WANG, PASSWORD), 200, "it has not heard yet")
            first.online(True)
            world.settle()
            self.assertEqual(status_of(second, WANG, SECOND), 200)
            self.assertEqual(status_of(second, WANG, PASSWORD), 401)
            self.assertEqual(status_of(world.hub, WANG, SECOND), 200)
            # What is on disk or in a log does not tell.
            for program in (first, second, world.hub):
                program.stop()
                token = program.sessions[WANG].headers["Cookie"].split("=", 1)[1].encode()
                for path in (*program.folder.rglob("*"), program.folder.parent / (program.folder.name + ".log")):
                    if path.is_file():
                        held = path.read_bytes()
                        for secret in (PASSWORD.encode(), SECOND.encode(), token):
                            self.assertNotIn(secret, held, path)

    def test_wrong_tries_wait_also_after_a_start(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            for program in (agent, world.hub):
                with self.subTest(program.folder.name):
                    for _ in range(5):
                        self.assertEqual(status_of(program, WANG, "not-this-one"), 401)
                    self.assertEqual(status_of(program, WANG, PASSWORD), 429)
                    program.kill()
                    program.start()
                    body = json.dumps({"user": WANG, "password": PASSWORD}).encode()
                    status, headers, _ = program.exchange("POST", "/session", body, JSON)
                    self.assertEqual(status, 429)
                    self.assertTrue(0 < int(headers["retry-after"]) <= 30)
                    self.assertEqual(status_of(program, OFFICER, PASSWORD), 200, "others do not wait")

    def test_a_disabled_account_is_out_within_five_seconds(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            agent.sign_in(WANG)
            world.hub.sign_in(WANG)
            world.hub.run("account", "disable", WANG)
            began = time.monotonic()
            for program in (world.hub, agent):
                headers = program.sessions[WANG].headers
                while program.exchange("GET", "/records?limit=1", headers=headers)[0] != 401:
                    self.assertLess(time.monotonic() - began, 5, program.folder.name)
                    time.sleep(0.05)
                self.assertEqual(status_of(program, WANG, PASSWORD), 401)
            world.hub.run("account", "enable", WANG)
            self.assertEqual(status_of(world.hub, WANG, PASSWORD), 200)

    def test_the_first_administrator_comes_from_the_command_line(self):
        with World(agents=0) as world:
            hub = world.hub
            with self.assertRaises(RuntimeError):
                hub.run("admin", "create", "--login", "anquan", "--name", "周安全", "--password-file", "-",
                        text_input="123456\n")
            hub.run("admin", "create", "--login", "anquan", "--name", "周安全", "--password-file", "-",
                    text_input="yulan-1470\n")
            hub.sign_in("u-anquan", "yulan-1470")
            headers = hub.sessions["u-anquan"].headers
            self.assertEqual(hub.exchange("GET", "/accounts", headers=headers)[0], 200)
            self.assertEqual(hub.exchange("GET", "/export", headers=headers)[2].get("records", []), [])
            # A password that the office gives out is good for choosing another and for nothing else.
            body = json.dumps({"password": SECOND}).encode()
            self.assertEqual(hub.exchange("POST", f"/accounts/{OFFICER}/password", body, {**JSON, **headers})[0], 200)
            self.assertTrue(hub.sign_in(OFFICER, SECOND)["must_change"])
            self.assertEqual(hub.exchange("GET", "/records", headers=hub.sessions[OFFICER].headers)[0], 403)

    def test_places_by_hand_are_added_listed_and_taken_back(self):
        with World(agents=0) as world:
            hub = world.hub

            def place(*words, check=True):
                return hub.run("account", "place", *words, check=check)

            def by_hand():
                return [one["place"] for one in place("list", OFFICER)["places"] if one["by_hand"]]

            before = by_hand()
            self.assertIn(scope_of("sch-001"), before)
            for words in (("--place", "nowhere"), ("--place", "org-430200/org-430299"), ("--school", "sch-999"),
                          ("--place", scope_of("sch-001") + "/x")):
                self.assertIn("error", place("add", OFFICER, *words, check=False), words)
            self.assertIn("error", place("add", CONTACT, "--school", "sch-002", check=False))
            place("add", OFFICER, "--place", "org-430200")
            self.assertEqual(by_hand(), sorted([*before, "org-430200"]))
            place("remove", OFFICER, "--place", "org-430200")
            place("remove", OFFICER, "--school", "sch-001")
            self.assertEqual(by_hand(), [one for one in before if one != scope_of("sch-001")])
            self.assertIn("error", place("remove", OFFICER, "--school", "sch-001", check=False))

    def test_commands_sign_in(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            visit = world.new_visit(agent)
            for running in (True, False):
                with self.subTest(running=running):
                    shown = agent.run("record", "show", visit, "--as", WANG, "--password-file", "-",
                                      text_input=PASSWORD)
                    self.assertEqual(shown["id"], visit)
                    for words in ((), ("--as", WANG)):
                        told = agent.run("record", "show", visit, *words, check=False)
                        self.assertIn("error", told)
                    told = agent.run("record", "show", visit, "--as", WANG, "--password-file", "-",
                                     text_input="not-this-one", check=False)
                    self.assertEqual(told["error"]["code"], "unauthenticated")
                    if running:
                        agent.stop()

    def test_a_laptop_follows_the_postings_of_its_supervisor(self):
        with World(agents=0) as world:
            hub = world.hub
            hub.run("ticket", "create", "--supervisor", "sup-001", "--out", str(world.folder / "wang.ticket"))
            laptop = Agent(world.folder / "laptop").enrol(world.folder / "wang.ticket").start()
            world.agents.append(laptop.meet(WANG))
            laptop.sync()
            old, new = (hub.create("visit_record", {**VISIT, "school_id": school}, OFFICER)["id"]
                        for school in ("sch-001", "sch-002"))
            laptop.sync()
            self.assertEqual(status_at(laptop, WANG, f"/records/{old}"), 200)
            self.assertEqual(status_at(laptop, WANG, f"/records/{new}"), 404)
            hub.create("assignment", {"id": "asg-9001", "supervisor_id": "sup-001", "school_id": "sch-002",
                                      "role": "responsible_supervisor", "valid_from": "2025-09-01"}, OFFICER)
            hub.edit("asg-0001", OFFICER, [{"do": "set", "field": "valid_to", "value": "2025-08-31"}], "assignment")
            until = time.monotonic() + 20
            while status_at(laptop, WANG, f"/records/{new}") != 200:
                self.assertLess(time.monotonic(), until, laptop.get("/status")["scopes"])
                time.sleep(0.1)
            # What it had of the school it left it keeps; nothing new comes.
            after = hub.create("visit_record", VISIT, OFFICER)["id"]
            laptop.sync()
            self.assertEqual(status_at(laptop, WANG, f"/records/{after}"), 404)
            device = next(d for d in hub.run("device", "list")["devices"] if d["name"] == laptop.get("/status")["name"])
            self.assertIn(scope_of("sch-002"), device["scopes"])
            self.assertNotIn(scope_of("sch-001"), device["scopes"])

    def test_before_any_account_arrives_people_sign_in_by_name_only(self):
        with World(agents=0) as world:
            ticket = world.hub.ticket(world.folder / "new.ticket", scope_of("sch-001"), name="new")
            world.hub.stop()
            agent = Agent(world.folder / "new").enrol(ticket).start()
            world.agents.append(agent)
            self.assertTrue(agent.exchange("GET", "/session")[2]["provisional"])
            body = json.dumps({"user": WANG, "password": SECOND, "provisional": True}).encode()
            status, headers, told = agent.exchange("POST", "/session", body, JSON)
            self.assertEqual((status, told["sign_in"]), (200, "provisional"))
            session = {"Cookie": headers["set-cookie"].split(";")[0], "X-Duhui-CSRF": told["csrf"]}
            visit = json.dumps({"type": "visit_record", "as": WANG, "value": {
                "school_id": "sch-001", "visit_kind": "routine", "visit_date": "2025-10-09"}}).encode()
            status, _, made = agent.exchange("POST", "/records", visit, {**JSON, **session})
            self.assertEqual(status, 201, made)
            world.hub.start()
            agent.sync()
            until = time.monotonic() + 10
            while agent.exchange("GET", "/records", headers=session)[0] != 401 and time.monotonic() < until:
                time.sleep(0.05)
            self.assertEqual(agent.exchange("GET", "/records", headers=session)[0], 401)
            self.assertEqual(status_of(agent, WANG, SECOND), 401)
            self.assertEqual(status_of(agent, WANG, PASSWORD), 200)
            self.assertEqual(world.hub.record(made["id"])["id"], made["id"])
            why = world.hub.get(f"/records/{made['id']}/why", path="visit_date")
            self.assertEqual(why["entries"][0]["sign_in"], "provisional")
            self.assertIn("身份未核对", why["text_zh"])


if __name__ == "__main__":
    unittest.main()
