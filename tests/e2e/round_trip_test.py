"""400 visits of the sample data through three agents and back: the hub's export equals the input."""

import json
import unittest

from world import World, sample, scope_of  # noqa: F401


# What only the hub writes: the arrival, what it recomputes, and an officer's decision about duplicates.
OF_THE_HUB = {"received_at", "flags", "duplicate_of"}


def is_set(value):
    return value not in (None, [], {})


def plain(value):
    """Null, absent and empty all mean "not set" (docs of shared/record)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if is_set(plain(v))}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def comparable(visit):
    """Sets have no order: methods, photos, modules and people are compared by their keys."""
    visit = {k: v for k, v in plain(visit).items() if k not in OF_THE_HUB}
    for name, key in (("methods", "method"), ("attachments", "id"), ("modules", "id")):
        if name in visit:
            visit[name] = sorted(visit[name], key=lambda member: member[key])
    people = visit.get("participants", {})
    if "companions" in people:
        people["companions"] = sorted(people["companions"], key=lambda one: one["name"])
    if "supervisor_ids" in people:
        people["supervisor_ids"] = sorted(people["supervisor_ids"])
    return visit


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
                world.agents[-1].run("record", "import", str(file), "--type", "visit_record")
            world.settle()
            exported = {}
            after = None
            while True:
                page = world.hub.get("/export", type="visit_record", limit=200, **({"after": after} if after else {}))
                exported.update({r["id"]: r for r in page["records"]})
                after = page.get("next")
                if not after:
                    break
            self.assertEqual(len(exported), 400)
            for visit in visits:
                exported_visit = {"id": visit["id"], **exported[visit["id"]]}
                self.assertEqual(comparable(exported_visit), comparable(visit), visit["ref"])


if __name__ == "__main__":
    unittest.main()
