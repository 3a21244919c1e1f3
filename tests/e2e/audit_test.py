"""Who signed in, who was turned away and what was administered is in the hub's audit log, whichever program it was at; and
sessions last as long as the settings say.
"""

import json
import tempfile
import unittest

from world import OFFICER, PASSWORD, WANG, Refused, World

JSON = {"Content-Type": "application/json"}
SECOND = "bailian-369"


def status_of(program, person, password):
    try:
        program.sign_in(person, password)
        return 200
    except Refused as refused:
        return refused.status


def told(hub, *beginnings, device=""):
    """The entries of these actions, of the hub itself or of a device."""
    entries = hub.run("audit", "list", "--limit", "1000")["entries"]
    return [one for one in entries if one["device"] == device and one["action"].startswith(beginnings)]


def short(entries):
    return [(one["action"], one["actor"], one["target_id"], one["outcome"], one["detail"]) for one in entries]


class Audit(unittest.TestCase):
    def test_what_people_do_at_an_agent_reaches_the_hub(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            agent.online(False)
            for _ in range(5):
                self.assertEqual(status_of(agent, WANG, "not-this-one"), 401)
            for _ in range(4):
                self.assertEqual(status_of(agent, WANG, PASSWORD), 429)
            for n in range(11):
                self.assertEqual(status_of(agent, f"nobody-{n}", PASSWORD), 401)
            self.assertEqual(status_of(agent, OFFICER, "not-this-one"), 401)
            agent.sign_in(OFFICER)
            agent.ask("POST", "/session/password", {"old": PASSWORD, "new": SECOND}, person=OFFICER)
            agent.ask("GET", "/export?type=school", person=OFFICER)
            agent.ask("DELETE", "/session", {}, person=OFFICER)
            agent.online(True)
            agent.sync()
            device = agent.get("/status")["id"]
            self.assertEqual(short(told(world.hub, "session.", device=device)), [
                ("session.wrong_password", "nobody", WANG, "refused", "tries=1"),
                ("session.wrong_password", "nobody", WANG, "refused", "tries=5"),
                ("session.throttled", "nobody", WANG, "refused", "tries=1"),
                ("session.wrong_password", "nobody", "", "refused", "tries=1"),
                ("session.wrong_password", "nobody", "", "refused", "tries=5"),
                ("session.wrong_password", "nobody", "", "refused", "tries=10"),
                ("session.wrong_password", "nobody", OFFICER, "refused", "tries=1"),
                ("session.signed_in", OFFICER, OFFICER, "done", "wrong_tries=1"),
                ("session.password_changed", OFFICER, OFFICER, "done", ""),
                ("session.signed_out", OFFICER, OFFICER, "done", ""),
            ])
            self.assertEqual([one["actor"] for one in told(world.hub, "record.export", device=device)], [OFFICER])
            # Nobody at the school takes an entry back, and the log with them in it is sound.
            self.assertEqual(told(world.hub, "request."), [])
            self.assertTrue(world.hub.run("audit", "verify")["ok"])
            self.assertTrue(world.hub.post("/verify")["ok"])
            self.assertEqual(world.hub.get("/quarantine")["quarantine"], [])

    def test_the_hub_tells_of_sign_ins_refusals_and_its_keys(self):
        with World(agents=0) as world:
            hub = world.hub
            self.assertEqual(status_of(hub, OFFICER, "not-this-one"), 401)
            hub.sign_in(OFFICER)
            session = hub.sessions[OFFICER].headers
            for _ in range(20):
                self.assertEqual(hub.exchange("GET", "/accounts", headers=session)[0], 403)
            body = json.dumps({"school": "sch-001"}).encode()
            self.assertEqual(hub.exchange("POST", "/tickets", body, JSON | session)[0], 403)
            self.assertEqual(hub.exchange("DELETE", "/session", b"{}", JSON | session)[0], 200)
            self.assertEqual(short(told(hub, "session.", "request.")), [
                ("session.wrong_password", "nobody", OFFICER, "refused", "tries=1"),
                ("session.signed_in", OFFICER, OFFICER, "done", "wrong_tries=1"),
                ("request.refused", OFFICER, "", "refused", "GET /accounts, role, times=1"),
                ("request.refused", OFFICER, "", "refused", "POST /tickets, role, times=1"),
                ("session.signed_out", OFFICER, OFFICER, "done", ""),
            ])
            hub.stop()
            keys = hub.run("key", "rotate")
            hub.start()
            (rotated,) = told(hub, "key.")
            self.assertEqual(rotated["target_id"], keys["pin"])
            self.assertEqual(rotated["detail"], "old=" + keys["old_pin"])
            self.assertEqual(hub.addresses["pin"], keys["pin"])
            file = world.folder / "audit.jsonl"
            hub.run("audit", "export", str(file))
            self.assertTrue(hub.run("audit", "verify", str(file))["ok"])

    def test_sessions_last_as_long_as_the_settings_say(self):
        with tempfile.NamedTemporaryFile("w", suffix=".offset") as clock:
            def passed(seconds):
                clock.seek(0)
                clock.write(f"0 {seconds * 1000}".ljust(30) + "\n")
                clock.flush()

            with World(agents=1, environment={"DUHUI_CLOCK_OFFSET_FILE": clock.name}) as world:
                now = 0
                for program, name in ((world.agents[0], "agent.toml"), (world.hub, "hub.toml")):
                    with self.subTest(name):
                        program.stop()
                        settings = program.folder / name
                        settings.write_text('[sign_in]\nidle = "25h"\n')
                        self.assertIn("sign_in.idle", json.dumps(program.run("config", "check", check=False)))
                        settings.write_text('[sign_in]\nidle = "2m"\nlife = "5m"\n')
                        program.start()
                        self.assertEqual(program.sign_in(OFFICER)["idle_s"], 120)
                        session = program.sessions[OFFICER].headers

                        def look():
                            return program.exchange("GET", "/records?limit=1", headers=session)

                        self.assertEqual(look()[0], 200)
                        passed(now := now + 100)
                        self.assertEqual(look()[0], 200)
                        passed(now := now + 121)
                        status, _, answer = look()
                        self.assertEqual((status, answer["error"]["detail"]), (401, "locked"))
                        body = json.dumps({"password": PASSWORD}).encode()
                        self.assertEqual(program.exchange("POST", "/session/unlock", body, JSON | session)[0], 200)
                        self.assertEqual(look()[0], 200)
                        passed(now := now + 80)
                        self.assertEqual(look()[0], 401)
                        self.assertIsNone(program.exchange("GET", "/session", headers=session)[2]["person"])


if __name__ == "__main__":
    unittest.main()
