"""Every endpoint and every type of record x every role x inside and outside its reach, over real sockets.

What there is to ask comes from the OpenAPI files (`x-need`) and the program; what must be allowed comes from the tables
of docs/authority.md. Nothing here names an endpoint or a type of record, so nothing can be forgotten: an operation
without `x-need`, a type without a row or a role without a column fails.
"""

import re
import unittest
from pathlib import Path

import yaml

from world import DATA, Agent, Hub, Refused, World, scope_of  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
OFFICES = ("chief", "office", "leader", "upper")
LETTER = {"read": "r", "export": "x", "manage": "m", "create": "c", "edit": "e"}
INSIDE, OUTSIDE = "sch-001", "sch-013"  # of two districts
# Parts of readable ids that are no free text.
NEEDED = {"scope_org_id": "org-430202", "source": "import"}


def tables():
    """The tables of docs/authority.md by the first cell of their header: {row: {column: cell}}."""
    found, header, rows = {}, None, None
    for line in (ROOT / "docs" / "authority.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header is None:
            header, rows = cells, found.setdefault((cells[0], cells[1]), {})
        elif not cells[0].startswith("---"):
            rows[cells[0]] = dict(zip(header[1:], cells[1:]))
    return found


TABLES = tables()


def table(first, second):
    for (a, b), rows in TABLES.items():
        if a.startswith(first) and b.startswith(second):
            return rows
    raise KeyError(first)


GROUP_OF = {role: group for group, cells in table("组 group", "角色").items()
            for role in re.findall(r"\w+", cells["角色 roles"])}
RECORDS = table("record", "school")
THINGS = table("thing", "any")

# Where each group's account stands when it is to be inside, or outside, the reach of sch-001.
PLACES = {
    "school": (INSIDE, OUTSIDE), "posted": ("zone-430202-1", "zone-430203-1"), "area": ("zone-430202-1", "zone-430203-1"),
    "chief": ("org-430202", "org-430203"), "office": ("org-430202", "org-430203"), "leader": ("org-430202", "org-430203"),
    "upper": ("org-430200", "org-430203"), "section": ("sec-430202-safety", "sec-430203-safety"),
    "admin": ("org-430200", "org-430203"),
}


def operations(program):
    """(method, path, verb, thing, for the operator alone) of every operation of a program's OpenAPI file."""
    spec = yaml.safe_load((ROOT / "docs" / "api" / f"{program}.openapi.yaml").read_text(encoding="utf-8"))
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "delete", "patch"):
                continue
            verb, thing = operation["x-need"].split()
            yield method.upper(), path, verb, thing, operation.get("x-only") == "operator"


def allows_thing(role, verb, thing):
    cells = THINGS[thing]
    letter = LETTER[verb]
    columns = ["person"]
    group = GROUP_OF[role]
    if group in OFFICES and (group != "leader" or verb != "manage"):
        columns.append("office")
    if group == "admin":
        columns.append(role)
    return any(letter in cells[column] or "*" in cells[column] for column in columns)


def people():
    """Role, whether inside, and the rows of users, supervisors and assignments that make such a person."""
    users, supervisors, assignments, found = [], [], [], {}
    for role, group in GROUP_OF.items():
        for inside in (True, False):
            name = f"m-{role.replace('_', '-')}-{'in' if inside else 'out'}"
            place = PLACES[group][0 if inside else 1]
            row = {"id": name, "login": name, "name": name, "role": role, "scope_org_id": place, "status": "active"}
            if group == "school":
                row["school_id"] = place
            if group == "posted":
                row["supervisor_id"] = f"s-{name}"
                supervisors.append({"id": f"s-{name}", "name": name})
                assignments.append({"id": f"a-{name}", "supervisor_id": f"s-{name}", "school_id": INSIDE if inside else OUTSIDE,
                                    "valid_from": "2020-01-01"})
            users.append(row)
            found[name] = (role, inside)
    return found, {"users": users, "supervisors": supervisors, "assignments": assignments}


def made(hub, kind, cells):
    """A record of this type in the school, or in its district; what else its value needs the program says."""
    school = scope_of(INSIDE)
    body = {"type": kind, "as": "hub", "import": True, "value": {"school_id": INSIDE}}
    numbers = 0
    for _ in range(20):
        try:
            return hub.ask("POST", "/records", body)["uuid"]
        except Refused as refused:
            detail = refused.body["error"]["detail"]
            if refused.status == 409 and "exists" in detail:
                return hub.record(INSIDE, kind)["uuid"]
            if detail.startswith("unknown_field: "):
                del body["value"][detail.split(": ")[1]]
                # What a school writes itself stands in the school, whatever it is about.
                body["scope"] = school if "e" in cells["school"] else school.rsplit("/", 2)[0]
            elif detail.startswith("missing: "):
                for field in re.findall(r"\w+", detail.split(": ", 1)[1]):
                    body["value"].setdefault(field, NEEDED.get(field, "m-1"))
            else:
                # One of the values is no text: try a number in each in turn.
                texts = [field for field in body["value"] if field != "school_id"]
                body["value"] |= {field: 1 if at == numbers else "m-1" for at, field in enumerate(texts)
                                  if field not in NEEDED}
                numbers += 1
    raise AssertionError(f"{kind}: {body} {detail}")


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(agents=0, registries=True)
        cls.hub = cls.world.hub
        cls.people, rows = people()
        for kind, some in rows.items():
            cls.hub.post("/import", {"kind": kind, "rows": some})
        inside = [name for name, (_, is_inside) in cls.people.items() if is_inside]
        cls.hub.accounts(*cls.people, scopes=[(name, scope_of(INSIDE)) for name in inside])
        cls.agent = cls.world.new_agent("agent", scopes=[scope_of(INSIDE)])
        cls.agent.meet(*inside)
        cls.agent.sync()
        cls.asked = 0

    @classmethod
    def tearDownClass(cls):
        print(f"{cls.asked} requests judged")
        cls.world.__exit__(None, None, None)

    def status(self, program, person, method, path, body=None):
        type(self).asked += 1
        if person is None:
            text = None if body is None else "{}"
            return program.exchange(method, path, text, {"Content-Type": "application/json"})[0]
        try:
            program.ask(method, path, body, person=person)
            return 200
        except Refused as refused:
            return refused.status

    def test_every_endpoint_for_every_role(self):
        for program, name in ((self.hub, "duhui-hub"), (self.agent, "duhui-agent")):
            spec = name.removeprefix("duhui-")
            for method, path, verb, thing, operator_only in operations(spec):
                if thing == "session":  # signing in and out has its own tests, and would end the sessions here
                    continue
                target = path.replace("{id}", "00000000-0000-4000-8000-000000000000")
                if "/records/" in target:
                    target += "?type=visit_record&path=visit_date"
                # Nothing a body could do happens: what is allowed finds it wanting.
                body = None if method in ("GET", "DELETE") else {"wait_ms": "no", "enabled": "no"}
                with self.subTest(program=name, method=method, path=path):
                    opened = "r" in THINGS[thing]["any"]
                    got = self.status(program, None, method, target, body)
                    self.assertEqual(got == 401, not opened, f"nobody: {got}")
                for person, (role, inside) in self.people.items():
                    if program is self.agent and not inside:
                        continue
                    with self.subTest(program=name, method=method, path=path, person=person):
                        got = self.status(program, person, method, target, body)
                        if verb in LETTER and "*" not in THINGS[thing]["person"]:
                            allowed = not operator_only and allows_thing(role, verb, thing)
                            self.assertEqual(got != 403, allowed, f"{got}")
                        self.assertNotIn(got, (401, 500, 501))

    def test_every_type_of_record_for_every_role(self):
        told = table("record", "states")
        for kind, cells in RECORDS.items():
            if set(cells.values()) == {"-"}:  # programs' own: nobody makes one by hand
                self.assertNotEqual(self.status(self.hub, "m-district-officer-in", "POST", "/records",
                                                {"type": kind, "value": {}}), 201)
                continue
            record = made(self.hub, kind, cells)
            state = self.hub.record(record, kind)["state"]
            is_told = kind not in told or state in re.findall(r"\w+", told[kind]["states"])
            for person, (role, inside) in self.people.items():
                cell = cells[GROUP_OF[role]]
                reads = inside and ("r" in cell or ("t" in cell and is_told))
                target = f"/records/{record}?type={kind}"
                with self.subTest(kind=kind, person=person, state=state, cell=cell):
                    self.assertEqual(self.status(self.hub, person, "GET", target), 200 if reads else 404)
                    edit = {"edits": [{"do": "set", "field": "no_such_field", "value": 1}]}
                    got = self.status(self.hub, person, "POST", f"/records/{record}/edits?type={kind}", edit)
                    self.assertEqual(got, 404 if not reads else 400 if "e" in cell else 403)
                    # The naming field decides about new ones; outside, nothing is made either.
                    new = self.status(self.hub, person, "POST", "/records",
                                      {"type": kind, "value": {"no_such_field": 1}})
                    # Whoever makes none of this type anywhere is told so at once; the rest depends on its value.
                    self.assertIn(new, (400,) if "c" in cell else (400, 403), f"create: {new}")
                    listed = {row["uuid"] for row in self.hub.ask("GET", f"/records?type={kind}&limit=1000",
                                                                  person=person)["records"]}
                    self.assertEqual(record in listed, reads)


if __name__ == "__main__":
    unittest.main()
