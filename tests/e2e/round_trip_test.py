"""400 visits of the sample data through three agents and back: the hub's export equals the input."""

import json
import unittest

from world import World, sample, scope_of  # noqa: F401


def is_set(value):
    return value not in (None, [], {})


def plain(value):
    """Null, absent and empty all mean "not set" (docs of shared/record)."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if is_set(plain(v))}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


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
                self.assertEqual(plain(exported[visit["id"]]), plain(visit), visit["ref"])


if __name__ == "__main__":
    unittest.main()
