"""A district hands out devices: 200 of them from one file, without a keyboard; one works before it has ever been online."""

import csv
import json
import shutil
import stat
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from world import DATA, VISIT, WANG, Agent, Hub

AGENTS = 200
AT_ONCE = 4
JSON = {"Content-Type": "application/json"}
PASSWORD = "dingxiang-258"


def few_registries(folder):
    """All schools, one supervisor: 200 devices need not carry everybody's account."""
    folder.mkdir()
    shutil.copy(DATA / "orgs.json", folder)
    for name, keep in (("schools.csv", ""), ("users.csv", "u-sup-001,"), ("supervisors.csv", "sup-001,"),
                       ("assignments.csv", "asg-0001,")):
        head, *rows = (DATA / name).read_text(encoding="utf-8").splitlines()
        text = "\n".join([head, *(row for row in rows if row.startswith(keep))]) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class Enrolment(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="duhui-enrol-"))
        self.hub = Hub(self.folder / "hub")
        self.hub.run("init")
        self.programs = [self.hub]

    def tearDown(self):
        for program in self.programs:
            program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def agent(self, name):
        self.programs.append(Agent(self.folder / name))
        return self.programs[-1]

    def fails(self, program, *words, text_input=None):
        """The command must fail; its own words."""
        done = subprocess.run([program.program, "--data", str(program.folder), *words], capture_output=True, text=True,
                              input=text_input, env=dict(program.environment, LANG="C.UTF-8"), timeout=60)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stdout + done.stderr

    def refusal(self, agent):
        """What the hub tells a device that it does not take."""
        done = subprocess.run([agent.program, "--data", str(agent.folder), "--json", "sync", "--wait-ms", "20000"],
                              capture_output=True, text=True, env=agent.environment, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        return json.loads(done.stdout)["link"]["last_error"]

    def district_sheet(self):
        """The file that IT writes: a row for each device, schools by id or by code."""
        with open(DATA / "schools.csv", encoding="utf-8", newline="") as lines:
            schools = list(csv.DictReader(lines))
        with open(self.folder / "schools.csv", "w", encoding="utf-8", newline="") as out:
            sheet = csv.writer(out)
            sheet.writerow(["school", "host", "name", "expires", "note"])
            for n in range(AGENTS):
                school = schools[n % len(schools)]
                sheet.writerow([school["code" if n % 2 else "id"], f"PC-{n:03}", f"{school['name']}-{n}", "",
                                'room "2", left' if n == 1 else ""])
        tickets = self.folder / "tickets.csv"
        made = self.hub.run("ticket", "create", "--csv", str(self.folder / "schools.csv"), "--out-csv", str(tickets),
                            "--expires", "30d")
        self.assertEqual(made["tickets"], AGENTS)
        self.assertEqual(stat.S_IMODE(tickets.stat().st_mode), 0o600)
        return tickets

    def save_a_visit(self, agent):
        """Somebody who has no account on this device yet; nobody has."""
        body = {"user": WANG, "password": PASSWORD, "provisional": True, "role": "responsible_supervisor"}
        status, headers, told = agent.exchange("POST", "/session", json.dumps(body).encode(), JSON)
        self.assertEqual(status, 200, told)
        session = {**JSON, "Cookie": headers["set-cookie"].split(";")[0], "X-Duhui-CSRF": told["csrf"]}
        body = json.dumps({"type": "visit_record", "value": VISIT, "as": WANG}).encode()
        status, _, answer = agent.exchange("POST", "/records", body, session)
        self.assertEqual(status, 201, answer)
        return answer["id"]

    def test_a_district_from_one_file(self):
        began = time.monotonic()
        self.hub.run("import", "--from", str(few_registries(self.folder / "registries")))
        self.hub.start()
        tickets = self.district_sheet()
        made_at = time.monotonic()

        # Offline first: the hub is not there yet.
        self.hub.stop()
        first = self.agent("agent-0")
        first.run("init", "--csv", str(tickets), "--host", "pc-000")
        first.start()
        visit = self.save_a_visit(first)
        first.stop()
        self.assertNotEqual(first.run("sync", "--wait-ms", "500", check=False)["unacknowledged"], 0)
        self.hub.start()
        self.assertEqual(first.run("sync")["unacknowledged"], 0)
        self.assertEqual(self.hub.run("record", "show", visit)["id"], visit)

        agents = [self.agent(f"agent-{n}") for n in range(1, AGENTS)]

        def enrol(n):
            agent = agents[n - 1]
            agent.run("init", "--csv", str(tickets), "--host", f"Pc-{n:03}")
            return agent.run("sync")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            met = list(pool.map(enrol, range(1, AGENTS)))
        self.assertEqual({one["unacknowledged"] for one in met}, {0})
        devices = self.hub.run("device", "list")["devices"]
        self.assertEqual(len(devices), AGENTS)
        self.assertEqual(len({one["name"] for one in devices}), AGENTS)
        enrolled_at = time.monotonic()

        def again(n):
            agent = Agent(self.folder / f"again-{n}")
            agent.run("init", "--csv", str(tickets), "--host", f"PC-{n:03}")
            return self.refusal(agent)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            reasons = list(pool.map(again, range(AGENTS)))
        self.assertEqual(set(reasons), {"hub: ticket: used up"})
        self.assertEqual(len(self.hub.run("device", "list")["devices"]), AGENTS)
        listed = self.hub.run("ticket", "list")["tickets"]
        self.assertEqual({(one["state"], one["uses"], one["uses_left"]) for one in listed}, {("used", 1, 0)})
        self.assertTrue(all(one["last_used_at"] for one in listed))
        print(f"tickets {made_at - began:.1f} s, enrolled {enrolled_at - made_at:.1f} s, "
              f"refused {time.monotonic() - enrolled_at:.1f} s")

    def test_what_is_refused_and_why(self):
        self.hub.run("import", "--from", str(few_registries(self.folder / "registries")))
        self.hub.start()
        sheet = self.folder / "in.csv"
        tickets = self.folder / "out.csv"
        sheet.write_text("school,host\nsch-001,a\nsch-002,b\n")
        create = ("ticket", "create", "--csv", str(sheet), "--out-csv", str(tickets))
        self.hub.run(*create)
        text = tickets.read_text()

        # A machine that is not in the file, or twice.
        agent = self.agent("agent")
        self.assertIn("no row for host c", self.fails(agent, "init", "--csv", str(tickets), "--host", "C"))
        head, *rows = text.splitlines()
        double = "\n".join([head, *rows, rows[0]]) + "\n"
        self.assertIn("line 2 and in line 4", self.fails(agent, "init", "--csv", "-", "--host", "a", text_input=double))
        self.assertFalse(agent.folder.exists())

        # A second device in one folder.
        agent.run("init", "--csv", str(tickets), "--host", "a")
        before = files_of(agent.folder)
        self.assertIn("has a device already", self.fails(agent, "init", "--csv", str(tickets), "--host", "b"))
        self.assertEqual(files_of(agent.folder), before)

        # Revoked, also after the device has made its keys.
        listed = {row.split(",")[1]: row.split(",")[2] for row in rows}
        self.hub.run("ticket", "revoke", listed["a"])
        self.assertEqual(self.refusal(agent), "hub: ticket: revoked")

        # Changed on the way, and a code where everybody can read it.
        made = self.hub.run("ticket", "create", "--school", "sch-001", "--out", str(self.folder / "t"),
                            "--qr", str(self.folder / "t.svg"))
        self.assertIn("<svg", (self.folder / "t.svg").read_text())
        text = (self.folder / "t").read_text()
        at = text.index("secret ") + len("secret ")
        changed = text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1:]
        other = self.agent("other")
        self.assertIn("checksum", self.fails(other, "init", "--ticket-file", "-", text_input=changed))
        told = self.fails(other, "init", "--ticket-file", made["code"])
        self.assertIn("not on the command line", told)
        self.assertNotIn(made["code"][:20], told)
        other.run("init", "--ticket-file", "-", text_input=made["code"])
        self.assertEqual(other.run("sync")["unacknowledged"], 0)

        # One bad row: none is made, and those already made are taken back.
        known = {one["id"] for one in self.hub.run("ticket", "list")["tickets"]}
        sheet.write_text("school,host\nsch-003,c\nsch-999,d\n")
        tickets.unlink()
        self.assertIn("line 3", self.fails(self.hub, *create))
        self.assertFalse(tickets.exists())
        fresh = [one for one in self.hub.run("ticket", "list")["tickets"] if one["id"] not in known]
        self.assertEqual({one["state"] for one in fresh}, {"revoked"})

    def test_whoever_shows_wrong_tickets_waits(self):
        """A hub that was put back to an older copy does not know the ticket: the same as a guessed one."""
        copy = self.folder / "copy"
        shutil.copytree(self.hub.folder, copy)
        self.hub.start()
        guess = self.hub.ticket(self.folder / "guess", "org-430200", uses=100)
        self.hub.stop()
        shutil.rmtree(self.hub.folder)
        shutil.move(copy, self.hub.folder)
        self.hub.start()
        honest = self.agent("honest")
        honest.enrol(self.hub.ticket(self.folder / "good", "org-430200"))
        for n in range(6):  # five are free; none of them comes back by itself
            self.assertEqual(self.refusal(self.agent(f"guess-{n}").enrol(guess)), "hub: ticket: unknown")
        began = time.monotonic()
        self.assertEqual(honest.run("sync", "--wait-ms", "1000", check=False)["link"]["last_error"],
                         "hub: ticket: too many wrong tries")
        self.assertEqual(honest.run("sync", "--wait-ms", "20000")["unacknowledged"], 0)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual([one["uses"] for one in self.hub.run("ticket", "list")["tickets"]], [1])


if __name__ == "__main__":
    unittest.main()
