"""Roads to the hub: proxies that are asked, proxies that block WebSocket, cut, or take connections apart, networks that
want a sign-in first. Over real sockets, through nginx, tinyproxy and squid."""

import contextlib
import json
import subprocess
import time
import unittest

from photos import has_photo, photo_of, put_photo
from world import WANG, Agent, Hub, World, scope_of
from roads import (Meddler, NamingProxy, Nginx, Page, SecurePage, Squid, Tinyproxy, foreign_certificate, free_port)

SCHOOL = scope_of("sch-001")


def until(what, patience=40.0):
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > patience:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)
    return time.monotonic() - began


def link(agent):
    return agent.get("/status")["link"]


def problem(agent):
    told = link(agent)["road_problem"]
    return told["kind"] if told else None


@contextlib.contextmanager
def hub_world(behind_tls_proxy=False):
    with World(agents=0) as world:
        if behind_tls_proxy:
            world.hub.stop()
            (world.hub.folder / "hub.toml").write_text("[devices]\nbehind_tls_proxy = true\n")
            world.hub.start()
        yield world


class RoadsTest(unittest.TestCase):
    def agent_at(self, world, address, settings="", environment=None, name="roads"):
        """An agent that looks for its hub at `address`; it is not awaited."""
        ticket = world.hub.ticket(world.folder / f"{name}.ticket", SCHOOL, name=name, address=address)
        agent = Agent(world.folder / name, environment).enrol(ticket)
        (agent.folder / "agent.toml").write_text(settings, encoding="utf-8")
        self.addCleanup(agent.kill)
        agent.start()
        agent.saved = set()
        return agent

    def meet(self, agent, *people):
        """Once the hub has told it who works there."""
        agent.meet(WANG)
        agent.sync()
        return agent

    def works(self, world, agent, road, texts=3):
        """Records go both ways over this road."""
        agent.sync()
        self.meet(agent)
        visit = world.new_visit(agent)
        for _ in range(texts):
            world.save(agent, visit)
        agent.sync()
        self.assertEqual(link(agent)["road"], road)
        self.assertEqual(world.hub.record(visit)["value"]["school_id"], "sch-001")
        world.hub.set(visit, "u-off-430202-1", "arrived_at", "2025-10-09T08:30:00+08:00")
        until(lambda: agent.record(visit)["value"].get("arrived_at"))
        carried = link(agent)["roads"][road]
        self.assertGreater(carried["bytes_written"], 0)
        self.assertIsNotNone(carried["last_success"])
        return visit


class AskedProxies(RoadsTest):
    """CONNECT: TLS goes through to the hub, the pin holds."""

    def test_both_roads_through_tinyproxy_with_a_password(self):
        with hub_world() as world, Tinyproxy(world.folder / "tinyproxy", "teacher", "geheim258") as proxy:
            for road in ("websocket", "https"):
                agent = self.agent_at(
                    world, f"127.0.0.1:{world.hub.port}", name=f"by-{road}",
                    settings=f'[link]\nroad = "{road}"\n[proxy]\nurl = "http://127.0.0.1:{proxy.port}"\n'
                             'user = "teacher"\npassword = "geheim258"\n')
                self.works(world, agent, road)
                self.assertIsNone(problem(agent))
                said = json.dumps(agent.run("config", "check")) + json.dumps(agent.get("/status"))
                self.assertNotIn("geheim258", said + (world.folder / f"by-{road}.log").read_text())
            self.assertIn(f"CONNECT 127.0.0.1:{world.hub.port}", proxy.log.read_text())

    def test_both_roads_through_squid(self):
        with hub_world() as world, Squid(world.folder / "squid") as proxy:
            for road in ("websocket", "https"):
                agent = self.agent_at(world, f"127.0.0.1:{world.hub.port}", name=f"by-{road}",
                                      settings=f'[link]\nroad = "{road}"\n'
                                               f'[proxy]\nurl = "http://127.0.0.1:{proxy.port}"\n')
                self.works(world, agent, road)

    def test_a_wrong_password_and_a_forbidding_proxy_are_said(self):
        with hub_world() as world, Tinyproxy(world.folder / "tinyproxy", "teacher", "geheim258") as proxy:
            agent = self.agent_at(world, f"127.0.0.1:{world.hub.port}", name="wrong",
                                  settings=f'[proxy]\nurl = "http://teacher:falsch258@127.0.0.1:{proxy.port}"\n')
            until(lambda: problem(agent) == "proxy_password")
            self.assertIn("代理服务器要求用户名和密码", agent.say("status"))
            self.assertNotIn("falsch258", agent.say("status") + (world.folder / "wrong.log").read_text())
            with Squid(world.folder / "squid", "http_access deny all\n") as squid:
                denied = self.agent_at(world, f"127.0.0.1:{world.hub.port}", name="denied",
                                       settings=f'[proxy]\nurl = "http://127.0.0.1:{squid.port}"\n')
                until(lambda: problem(denied) == "proxy_refused")
            gone = self.agent_at(world, f"127.0.0.1:{world.hub.port}", name="gone",
                                 settings=f'[proxy]\nurl = "http://127.0.0.1:{free_port()}"\n')
            until(lambda: problem(gone) == "proxy_unreachable")

    def test_the_environment_names_a_proxy_and_the_proxy_knows_the_hub(self):
        with hub_world() as world, NamingProxy("hub.invalid", world.hub.port) as proxy:
            environment = {"https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "elsewhere.invalid"}
            agent = self.agent_at(world, "hub.invalid:7443", environment=environment)
            self.works(world, agent, "websocket")
            self.assertEqual(set(proxy.asked), {"CONNECT hub.invalid:7443 HTTP/1.1"})


class TerminatingProxies(RoadsTest):
    """TLS ends at a proxy to which the operator gave the hub's own key."""

    def test_nginx_that_passes_websocket_on(self):
        with hub_world(True) as world, Nginx(world.folder / "nginx", world.hub, upgrade=True) as nginx:
            agent = self.agent_at(world, f"127.0.0.1:{nginx.port}")
            self.works(world, agent, "websocket")
            self.assertIsNone(problem(agent))

    def test_nginx_that_strips_the_upgrade_leads_to_https(self):
        with hub_world(True) as world, Nginx(world.folder / "nginx", world.hub) as nginx:
            agent = self.agent_at(world, f"127.0.0.1:{nginx.port}")
            self.works(world, agent, "https")
            self.assertEqual(problem(agent), "websocket_blocked")
            self.assertIn("改走 HTTPS", agent.say("status"))
            upgrades = [line for line in nginx.asked() if line.startswith("GET")]
            self.assertEqual(len(upgrades), 1)
            # Remembered for this network: after a restart it does not try WebSocket in vain.
            agent.stop()
            agent.start()
            agent.sync()
            self.assertEqual(link(agent)["road"], "https")
            self.assertEqual([line for line in nginx.asked() if line.startswith("GET")], upgrades)
            kept = json.loads((agent.folder / "roads.json").read_text())
            self.assertEqual([network["road"] for network in kept.values()], ["https"])

    def test_a_hub_that_was_not_told_of_its_proxy_admits_nobody_through_it(self):
        with hub_world() as world, Nginx(world.folder / "nginx", world.hub) as nginx:
            agent = self.agent_at(world, f"127.0.0.1:{nginx.port}")
            until(lambda: "proof" in link(agent)["last_error"])
            self.assertEqual(world.hub.get("/devices")["devices"], [])

    def test_every_way_to_spoil_a_websocket_leads_to_https(self):
        for what in ("strip", "html", "reset"):
            with self.subTest(what), hub_world(True) as world, Meddler(world.hub, what) as between:
                agent = self.agent_at(world, f"127.0.0.1:{between.port}")
                self.works(world, agent, "https")
                self.assertEqual(between.upgrades, 1)

    def test_a_proxy_that_swallows_what_a_websocket_carries(self):
        with hub_world(True) as world, Meddler(world.hub, "swallow") as between:
            agent = self.agent_at(world, f"127.0.0.1:{between.port}")
            until(lambda: link(agent)["road"] == "https", 60)
            self.works(world, agent, "https")

    def test_a_proxy_under_which_websockets_die_is_left_for_https(self):
        with hub_world(True) as world, Meddler(world.hub, "die") as between:
            agent = self.agent_at(world, f"127.0.0.1:{between.port}")
            until(lambda: link(agent)["road"] == "https", 60)
            self.works(world, agent, "https")
            self.assertEqual(between.upgrades, 3)

    def test_a_proxy_that_cuts_and_restarts_loses_nothing(self):
        with hub_world(True) as world, \
                Nginx(world.folder / "nginx", world.hub, more="proxy_read_timeout 4s;") as nginx:
            agent = self.agent_at(world, f"127.0.0.1:{nginx.port}")
            visit = self.works(world, agent, "https")
            # A poll that waits 25 s is answered 504 after 4 s: it learns to wait less.
            until(lambda: sum(line.endswith("504") for line in nginx.asked()) >= 2)
            cut = sum(line.endswith("504") for line in nginx.asked())
            time_of_two_polls = len(nginx.asked()) + 4
            until(lambda: len(nginx.asked()) >= time_of_two_polls)
            self.assertLessEqual(sum(line.endswith("504") for line in nginx.asked()), cut + 1)
            for n in range(30):
                world.save(agent, visit)
                if n in (5, 15):
                    nginx.close()
                if n in (10, 20):
                    nginx.start(nginx.words)
            until(lambda: agent.get("/status")["unacknowledged"] == 0, 60)
            shown = json.dumps(world.hub.record(visit), ensure_ascii=False)
            for text in agent.saved:
                self.assertEqual(shown.count(text), shown.count(next(iter(agent.saved))), text)
                self.assertIn(text, shown)
            self.assertTrue(world.hub.post("/verify")["ok"])

    def test_the_hub_restarts_under_a_session_by_post(self):
        with hub_world(True) as world, Nginx(world.folder / "nginx", world.hub) as nginx:
            agent = self.agent_at(world, f"127.0.0.1:{nginx.port}")
            visit = self.works(world, agent, "https")
            world.hub.kill()
            text = world.save(agent, visit)
            world.hub.start()
            until(lambda: agent.get("/status")["unacknowledged"] == 0, 60)
            self.assertIn(text, json.dumps(world.hub.record(visit)))
            self.assertLess(world.hub.stop(), 5)


class WhoeverIsNotTheHub(RoadsTest):
    """Nothing is given away, and people are told what it is."""

    def told(self, world, port, kind, words):
        agent = self.agent_at(world, f"127.0.0.1:{port}", name=f"at-{port}")
        until(lambda: problem(agent) == kind)
        self.assertIn(words, agent.say("status"))
        self.assertIsNone(link(agent)["road"])
        self.assertNotEqual(link(agent)["state"], "live")
        self.assertEqual(world.hub.get("/devices")["devices"], [])
        return agent

    def test_a_firewall_that_opens_encrypted_connections(self):
        with hub_world() as world:
            certificate, key = foreign_certificate(world.folder)
            with Meddler(world.hub, "strip", certificate, key) as between:
                self.told(world, between.port, "intercepted", "拆看加密连接")
                # All it ever heard is the question for keys, which is public.
                self.assertEqual(set(between.heads) - {b""}, {b"GET /sync/v1/keys HTTP/1.1"})

    def test_a_page_inside_tls(self):
        with hub_world() as world:
            certificate, key = foreign_certificate(world.folder)
            with SecurePage(certificate, key) as page:
                self.told(world, page.port, "sign_in_page", "此网络需要先在浏览器登录（认证页面），记录已安全存本机")
                for head in page.heard:
                    self.assertIn(head.split(b"\r\n")[0], (b"", b"GET /sync/v1/keys HTTP/1.1"))

    def test_a_page_instead_of_tls(self):
        with hub_world() as world, Page() as page:
            agent = self.told(world, page.port, "sign_in_page", "认证页面")
            asked = [head for head in page.heard if head.startswith(b"GET ")]
            self.assertTrue(asked)
            for head in asked:
                self.assertEqual(head.split(b"\r\n")[0], b"GET / HTTP/1.1")
            english = subprocess.run([agent.program, "--data", str(agent.folder), "--lang", "en", "status"],
                                     capture_output=True, text=True, check=True).stdout
            self.assertIn("sign-in in the browser", english)

    def test_another_hub_is_told_apart_from_them(self):
        with hub_world() as world:
            other = Hub(world.folder / "other")
            other.run("init")
            other.start()
            try:
                self.told(world, other.port, "other_key", "另一把密钥")
                self.assertEqual(other.get("/devices")["devices"], [])
            finally:
                other.kill()

    def test_nobody(self):
        with hub_world() as world:
            self.told(world, free_port(), "unreachable", "连不上中心")


# What the hub's clock said when something came, and nothing else: the runs are some seconds apart.
HUB_TIMES = {"received_at"}
# An opaque token; it names the hub's own stream, which each run of a hub begins anew.
OF_THE_RUN = {"seen"}
ROADS = ("websocket", "https", "bundle")


def without_hub_times(told):
    if isinstance(told, dict):
        return {name: "-" if name in HUB_TIMES | OF_THE_RUN else without_hub_times(one) for name, one in told.items()}
    return [without_hub_times(one) for one in told] if isinstance(told, list) else told


class Conformance(RoadsTest):
    maxDiff = 4000

    def test_the_same_conversation_over_every_road_gives_the_same_hub(self):
        """One hub and one device with work saved, photos included, copied: each copy brings it home over another road."""
        with hub_world() as world:
            address = f"127.0.0.1:{world.hub.port}"
            agent = self.agent_at(world, address, name="original")
            agent.sync()
            self.meet(agent)
            agent.online(False)
            visits = [world.new_visit(agent, visit_date=f"2025-10-{day:02}") for day in range(9, 15)]
            for n in range(60):
                world.save(agent, visits[n % len(visits)])
            photos = [photo_of(size, seed) for seed, size in enumerate((5, 65_536, 300_000))]
            for n, photo in enumerate(photos):
                put_photo(agent, visits[n], photo, name=f"p-photo-{n}")
            agent.stop()
            world.hub.stop()
            states = {}
            for road in ROADS:
                subprocess.run(["cp", "-a", str(world.hub.folder), str(world.folder / f"hub-{road}")], check=True)
                subprocess.run(["cp", "-a", str(agent.folder), str(world.folder / f"agent-{road}")], check=True)
                hub = Hub(world.folder / f"hub-{road}")
                hub.port = world.hub.port
                hub.people, hub.reader = world.hub.people, world.hub.reader
                device = Agent(world.folder / f"agent-{road}")
                try:
                    if road == "bundle":
                        self.carry(hub, device, world.folder / "stick")
                        hub.start()
                    else:
                        (device.folder / "agent.toml").write_text(f'[link]\nroad = "{road}"\n')
                        hub.start()
                        device.start()
                        device.sync()
                        self.assertEqual(link(device)["road"], road)
                        until(lambda: all(has_photo(hub, photo) for photo in photos))
                        device.stop()
                    states[road] = self.state_of(hub, device, visits)
                finally:
                    device.kill()
                    hub.kill()
                self.assertTrue(all(has_photo(hub, photo) for photo in photos), road)
            for road in ROADS[1:]:
                self.assertEqual(states["websocket"], states[road], road)
            self.assertEqual(len(states["https"]["records"]), len(visits))
            self.assertEqual(len(states["bundle"]["files"]), len(photos))

    @staticmethod
    def carry(hub, device, stick):
        """There and back; nobody is connected."""
        for target in ("there", "back"):
            (stick / target).mkdir(parents=True)
        device.run("bundle", "export", str(stick / "there"), "--part-size", "100KiB")
        hub.run("bundle", "import", str(stick / "there"))
        hub.run("bundle", "export", "--all", str(stick / "back"))
        device.run("bundle", "import", str(stick / "back"))

    def state_of(self, hub, device, visits):
        self.assertTrue(hub.post("/verify")["ok"])
        status = device.run("status")
        self.assertEqual(status["unacknowledged"], 0)
        blobs = hub.folder / "blobs"
        return {"records": [without_hub_times(hub.record(visit)) for visit in visits],
                "listed": sorted(json.dumps(without_hub_times(row), sort_keys=True) for row in hub.listed()),
                "files": sorted(path.name for path in blobs.rglob("*") if path.is_file()),
                "stream": (status["origin"], status["head"], status["receipt"]["seq"], status["receipt"]["chain"]),
                "through": status["scopes"], "quarantine": hub.get("/quarantine")["quarantine"]}


if __name__ == "__main__":
    unittest.main()
