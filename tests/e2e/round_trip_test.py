"""The records of the sample data through agents and back: the hub's export equals the input."""

import json
import unittest

from world import DATA, PASSWORD, World, sample, scope_of


# What only the hub writes, by record type: arrivals, what it recomputes, numbers and deadlines of notices, what the
# office decides; also the list of state changes, which the files tell only in part. Nothing else may differ.
OF_THE_HUB = {
    "visit_record": {"received_at", "flags", "duplicate_of"},
    "problem": {"flags"},
    "rectification_notice": {"flags", "state_log", "number", "numbered_at", "due_at", "due_at_original"},
    "rectification_response": {"state_log"},
    "recheck": {"received_at"},
    "escalation": {"state_log"},
    "evaluation": {"state_log", "chain_result"},
}
# The same inside an object or the entries of a list.
OF_THE_HUB_INSIDE = {
    "rectification_notice": {"objection": {"result", "result_at", "result_by"}},
    "problem": {"timeline": {"effective_on", "waived_reason"}},
}
# Brings in what others wrote, on devices that hold several districts.
OFFICER_OF_THE_CITY = "u-city-1"
AS_OFFICER = ("--as", OFFICER_OF_THE_CITY, "--password-file", "-")
FILES = {"problems.jsonl": "problem", "notices.jsonl": "rectification_notice",
         "responses.jsonl": "rectification_response", "rechecks.jsonl": "recheck",
         "escalations.jsonl": "escalation", "evaluations.jsonl": "evaluation"}


def is_set(value):
    return value not in (None, [], {})


def plain(value):
    """Null, absent and empty all mean "not set" (docs of shared/record)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if is_set(plain(v))}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def in_order(value):
    """Sets have no order."""
    if isinstance(value, dict):
        return {k: in_order(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((in_order(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


def comparable(record, kind):
    record = {k: v for k, v in plain(record).items() if k not in OF_THE_HUB[kind]}
    for name, parts in OF_THE_HUB_INSIDE.get(kind, {}).items():
        values = record.get(name, [])
        for one in values if isinstance(values, list) else [values]:
            for part in parts:
                one.pop(part, None)
    return in_order(record)


def exported(program, kind):
    records, after = {}, None
    while True:
        page = program.get("/export", type=kind, limit=200, **({"after": after} if after else {}))
        records.update({r["id"]: r for r in page["records"]})
        after = page.get("next")
        if not after:
            return records


class RoundTrip(unittest.TestCase):
    def test_the_hubs_export_equals_the_input_field_by_field(self):
        visits = sample("visits.jsonl")
        self.assertEqual(len(visits), 400)
        with World(agents=0, registries=True) as world:
            schools = sorted({v["school_id"] for v in visits})
            for part in range(3):
                mine = schools[part::3]
                world.agents.append(world.new_agent(f"agent-{part}", scopes=[scope_of(s) for s in mine]))
                lines = [json.dumps(v, ensure_ascii=False) for v in visits if v["school_id"] in mine]
                file = world.folder / f"part-{part}.jsonl"
                file.write_text("\n".join(lines) + "\n", encoding="utf-8")
                world.hub.accounts(OFFICER_OF_THE_CITY, places=[(OFFICER_OF_THE_CITY, s) for s in mine])
                world.agents[-1].meet(OFFICER_OF_THE_CITY, reader=OFFICER_OF_THE_CITY).sync()
                world.agents[-1].run("record", "import", str(file), "--type", "visit_record", *AS_OFFICER,
                                     text_input=PASSWORD)
            world.settle()
            self.check(world.hub, "visit_record", visits)

    def test_every_other_record_that_agents_make_comes_back_as_it_was(self):
        with World(agents=0, registries=True) as world:
            agent = world.new_agent("agent", scopes=["org-430200"])
            world.agents.append(agent)
            world.hub.accounts(OFFICER_OF_THE_CITY, scopes=[(OFFICER_OF_THE_CITY, "org-430200")])
            agent.meet(OFFICER_OF_THE_CITY, reader=OFFICER_OF_THE_CITY).sync()
            for name, kind in FILES.items():
                # Some evaluations name nobody who could have made them.
                agent.run("record", "import", str(DATA / name), "--type", kind, *AS_OFFICER, text_input=PASSWORD)
            world.settle()
            for name, kind in FILES.items():
                for program in (agent, world.hub):
                    self.check(program, kind, sample(name))

    def check(self, program, kind, records):
        found = exported(program, kind)
        self.assertEqual(len(found), len(records))
        for record in records:
            self.assertEqual(comparable(found[record["id"]], kind), comparable(record, kind), record.get("ref"))


if __name__ == "__main__":
    unittest.main()
