"""What a page of another site can make a browser on this machine send does nothing: to the hub, to an agent."""

import json
import unittest

from world import OFFICER, VISIT, WANG, World

JSON = {"Content-Type": "application/json"}
# Headers of the page's request -> the status that refuses it.
FOREIGN = (
    ({}, 415),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ({**JSON, "Origin": "https://evil.example"}, 403),
    ({**JSON, "Origin": "null"}, 403),
    ({**JSON, "Sec-Fetch-Site": "cross-site"}, 403),
    ({**JSON, "Host": "rebound.example"}, 421),
)


def status_of(program, person, method, path, body, headers):
    """With the session of somebody who is signed in, as their browser sends it along."""
    if person not in program.sessions:
        program.sign_in(person)
    status, told, _ = program.exchange(method, path, body, {**program.sessions[person].headers, **headers})
    return status, set(told)


class ForeignPage(unittest.TestCase):
    def check(self, program, person, path, body, count):
        text = json.dumps(body, ensure_ascii=False).encode()
        before = count()
        for headers, wanted in FOREIGN:
            with self.subTest(path=path, headers=headers):
                status, told = status_of(program, person, "POST", path, text, headers)
                self.assertEqual(status, wanted)
                self.assertNotIn("access-control-allow-origin", told)
        self.assertEqual(count(), before, "something was done all the same")
        # A browser asks before it sends JSON for a page: whatever the answer, it must not allow it.
        _, told = status_of(program, person, "OPTIONS", path, None, {
            "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type"})
        self.assertFalse({name for name in told if name.startswith("access-control-")})
        status, _ = status_of(program, person, "POST", path, text, {
            **JSON, "Origin": program.base().removesuffix("/api/v1")})
        self.assertIn(status, (200, 201), "a page of our own")
        self.assertEqual(count(), before + 1)

    def test_it_does_nothing(self):
        with World(agents=1) as world:
            hub, agent = world.hub, world.agents[0]
            self.check(hub, OFFICER, "/records", {"type": "visit_record", "value": VISIT, "as": OFFICER},
                       lambda: len(hub.get("/records", type="visit_record")["records"]))
            self.check(agent, WANG, "/records", {"type": "visit_record", "value": VISIT, "as": WANG},
                       lambda: len(agent.get("/records", type="visit_record")["records"]))


if __name__ == "__main__":
    unittest.main()
