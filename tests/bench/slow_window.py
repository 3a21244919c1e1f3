"""A network for half a minute: how many records get through 30 s of 20 kbit/s, 600 ms round trip and lost packets.

Both programs as they are, each in a network namespace of its own, with a bad road between them (tests/support/slow_link.py).
An agent has 1,000 visits that no hub has seen; the road opens for 30 s and closes. Counted is what the hub shows afterwards,
and what it has acknowledged to the agent. Medians over seeds, which draw what is lost. "in order": bytes that TCP had for the
hub's program when the road closed; what of them is of records is limited by whole batches. Needs root and /dev/net/tun.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from duhui import BUILD, DATA, PASSWORD, Agent, Hub, sample, scope_of  # noqa: E402
from slow_link import Road, SlowLink, missing  # noqa: E402

PEOPLE = ("u-sup-001", "u-sup-002", "u-sup-003")  # whom the workload has at the first school
SCHOOL = "sch-001"
GOAL = 150
CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def copy_folder(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock", "listen.json"))
    return target


def workload_visits(records):
    made = subprocess.run([BUILD / "tests" / "bench" / "print_workload", str(records)], check=True, capture_output=True,
                          text=True).stdout
    return [json.loads(line) for line in made.splitlines()]


def sample_visits():
    """Those of the sample term, as if one school had been visited every time by the same people: what they wrote."""
    kept = ("visit_date", "visit_kind", "visit_mode", "period", "arrived_at", "left_at", "template_id",
            "template_version", "methods", "item_answers", "narrative", "summary", "scores")
    visits = []
    for number, visit in enumerate(sample("visits.jsonl")):
        ours = PEOPLE[number % len(PEOPLE)]
        text = json.dumps({field: visit[field] for field in kept if visit.get(field)}, ensure_ascii=False)
        for writer in {*visit["summary"], *visit["narrative"], *(one["by"] for one in visit["item_answers"].values())}:
            text = text.replace(writer, ours)
        value = json.loads(text) | {"school_id": SCHOOL, "participants": {"lead": ours.replace("u-", "")}}
        value.setdefault("summary", {ours: "无"})
        visits.append(value)
    return visits


class Prepared:
    """The two data folders at the moment before the window."""

    def __init__(self, folder, records, from_sample, say):
        self.folder, self.sample, self.records = folder, from_sample, 0
        hub, agent = Hub(folder / "hub"), Agent(folder / "agent")
        hub.listens = "10.77.0.2"
        with SlowLink(Road()) as link:
            link.open()
            try:
                say("registries and a device ...")
                link.far.call(lambda: self.found(hub))
                link.near.call(lambda: self.enrol(hub, agent, link))
                say("records ...")
                link.near.call(lambda: self.fill(agent, records))
            finally:
                agent.stop()
                hub.stop()
        self.hub_port = hub.port

    def found(self, hub):
        hub.run("init")
        hub.run("import", "--from", str(DATA))
        hub.start()
        hub.accounts(*PEOPLE, places=[(person, SCHOOL) for person in PEOPLE])

    def enrol(self, hub, agent, link):
        ticket = hub.ticket(self.folder / "t.ticket", scope_of(SCHOOL), name="far",
                            address=f"{link.far.address}:{hub.port}")
        agent.enrol(ticket).start()
        agent.meet(*PEOPLE)
        agent.sync()

    def fill(self, agent, records):
        agent.online(False)
        for person in PEOPLE:
            agent.sign_in(person)
        for value in sample_visits() if self.sample else workload_visits(records):
            agent.create("visit_record", value, next(iter(value["summary"])))
            self.records += 1

    def copies(self, place):
        """Both programs on copies."""
        hub = Hub(copy_folder(self.folder / "hub", place / "hub"))
        hub.listens, hub.port = "10.77.0.2", self.hub_port
        hub.people = {person: PASSWORD for person in PEOPLE}
        hub.reader = PEOPLE[0]
        agent = Agent(copy_folder(self.folder / "agent", place / "agent")).meet(*PEOPLE)
        return hub, agent


def received_in_order(side):
    """Bytes that TCP could give to the programs there, of all connections that are still there."""
    told = subprocess.run([*side.enter, "ss", "-tinH"], check=True, capture_output=True, text=True).stdout
    return sum(int(count) for count in re.findall(r"bytes_received:(\d+)", told))


def window(prepared, place, road, seed, arguments, over="websocket", signed_in=True):
    """One seed; what came through."""
    hub, agent = prepared.copies(place)
    (agent.folder / "agent.toml").write_text(f'[link]\nroad = "{over}"\n', encoding="utf-8")
    with SlowLink(road, seed=seed) as link:
        try:
            if arguments.congestion:
                for side in (link.near, link.far):
                    side.call(lambda: CONGESTION.write_text(arguments.congestion))
            link.far.call(hub.start)
            link.near.call(agent.start)
            agent.online(False)
            if signed_in:
                link.near.call(lambda: agent.sign_in(PEOPLE[0]))
            before = agent.get("/status")
            link.open()
            began = time.monotonic()
            agent.online(True)
            live = first = None
            while (passed := time.monotonic() - began) < arguments.seconds:
                status = agent.get("/status")
                if live is None and status["link"]["state"] == "live":
                    live = passed
                if first is None and status["unacknowledged"] < before["unacknowledged"]:
                    first = passed
                time.sleep(0.02)
            link.shut()
            in_order = received_in_order(link.far)
            after = agent.get("/status")
            agent.kill()
            shown = link.far.call(lambda: hub.listed(type="visit_record"))
        finally:
            agent.kill()
            hub.kill()
        up, down = link.to_far.passed, link.to_near.passed
        return {
            "seed": seed, "at_hub": len(shown),
            "acknowledged_ops": before["unacknowledged"] - after["unacknowledged"],
            "welcome_s": live, "in_order_bytes": in_order, "first_ack_s": first,
            "sent_bytes": up.bytes, "delivered_bytes": up.delivered_bytes, "received_bytes": down.delivered_bytes,
            "packets": up.packets, "lost": up.lost, "overflowed": up.overflowed,
            "line_bytes": int(road.rate_bits / 8 * arguments.seconds),
        }


def median(runs, what):
    values = [run[what] for run in runs if run[what] is not None]
    return statistics.median(values) if values else None


def shown(value, digits=0):
    return "-" if value is None else f"{value:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=5, help="windows at once")
    parser.add_argument("--rate", type=int, default=20_000, help="bits a second, each way")
    parser.add_argument("--delay", type=float, default=300, help="ms, each way")
    parser.add_argument("--jitter", type=float, default=0, help="ms")
    parser.add_argument("--loss", type=float, nargs="*", default=[0.0, 0.05, 0.10], help="of packets, each way")
    parser.add_argument("--queue", type=int, default=64 << 10, help="bytes before the narrow place")
    parser.add_argument("--roads", nargs="*", default=["websocket", "https"])
    parser.add_argument("--sample", action="store_true", help="the visits of the sample term instead of made ones")
    parser.add_argument("--congestion", default="", help="control of both sides' TCP, such as bbr or reno")
    parser.add_argument("--signed-out", action="store_true", help="nobody is signed in: drafts travel locked")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    lacking = missing()
    if lacking:
        print(f"跳过 / skipped: {lacking}", file=sys.stderr)
        return 77

    def say(text):
        print(text, file=sys.stderr)

    folder = Path(tempfile.mkdtemp(prefix="duhui-window-"))
    try:
        prepared = Prepared(folder, arguments.records, arguments.sample, say)
        rows = []
        print(f"{arguments.seconds:.0f} s, {arguments.rate / 1000:.0f} kbit/s, {2 * arguments.delay:.0f} ms round trip, "
              f"{arguments.congestion or CONGESTION.read_text().strip()}, {prepared.records} records wait; medians of {arguments.seeds} (goal at 10 % loss: {GOAL})")
        print("road       loss  records (worst..best)  acknowledged  welcome s  first ack s  packets  lost  "
              "overflowed  of the line  in order  a record")
        for over in arguments.roads:
            for loss in arguments.loss:
                road = Road(arguments.rate, arguments.delay, arguments.jitter, loss, arguments.queue)
                with ThreadPoolExecutor(arguments.jobs) as pool:  # they wait for their roads, not for a processor
                    runs = list(pool.map(lambda seed: window(prepared, folder / f"run-{seed}", road, seed, arguments, over,
                                                             not arguments.signed_out), range(1, arguments.seeds + 1)))
                hub = sorted(run["at_hub"] for run in runs)
                rows.append({"road": over, "loss": loss, "records": median(runs, "at_hub"), "runs": runs})
                per_record = median(runs, "in_order_bytes") / max(1, median(runs, "at_hub"))
                print(f"{over:10} {loss:4.0%}  {shown(median(runs, 'at_hub')):>7} ({hub[0]}..{hub[-1]})".ljust(40)
                      + f"{shown(median(runs, 'acknowledged_ops')):>12}  {shown(median(runs, 'welcome_s'), 1):>9}"
                      f"  {shown(median(runs, 'first_ack_s'), 1):>11}  {shown(median(runs, 'packets')):>7}"
                      f"  {shown(median(runs, 'lost')):>4}  {shown(median(runs, 'overflowed')):>10}"
                      f"  {median(runs, 'delivered_bytes') / runs[0]['line_bytes']:>11.0%}"
                      f"  {median(runs, 'in_order_bytes'):>8.0f}  {per_record:>8.0f}", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps({"goal": GOAL, "rows": rows}, indent=1), encoding="utf-8")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
