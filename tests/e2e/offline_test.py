"""An agent whose link is switched off."""

import time
import unittest

from world import Refused, World


class Offline(unittest.TestCase):
    def test_sync_answers_at_once_that_the_link_is_off(self):
        with World(agents=1) as world:
            agent = world.agents[0]
            visit = world.new_visit(agent)
            agent.online(False)
            began = time.monotonic()
            with self.assertRaises(Refused) as refused:
                agent.sync(wait_ms=60_000)
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual(refused.exception.status, 503)
            self.assertEqual(refused.exception.body["link"]["state"], "disabled")
            self.assertIn("the link is switched off", refused.exception.body["error"]["detail"])
            agent.online(True)
            agent.sync()
            self.assertEqual(world.hub.record(visit)["id"], visit)


if __name__ == "__main__":
    unittest.main()
