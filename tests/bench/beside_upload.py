"""Records beside a big upload: how long after "saved" a record can be read at the hub, with and without a 200 MB file under
way. Real programs, a real device link; straight over loopback, and through a road of 2 MB/s.
"""

import argparse
import http.client
import json
import random
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlparse

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "e2e")]
from bad_road import BadRoad  # noqa: E402
from world import OFFICER, PASSWORD, VISIT, WANG, Agent, World  # noqa: E402

GOAL_S = 1.0


def film(path, size, seed):
    """An MP4 as far as its boxes go."""
    def box(kind, size):
        return struct.pack(">I", 8 + size) + kind
    head = box(b"ftyp", 12) + b"isom\0\0\0\0isom" + box(b"moov", 100) + b"x" * 100
    noise = random.Random(seed)
    with open(path, "wb") as out:
        out.write(head + box(b"mdat", size - len(head) - 8))
        left = size - len(head) - 8
        while left > 0:
            out.write(noise.randbytes(min(left, 1 << 20)))
            left -= 1 << 20


class Asker:
    """Requests of one person over one connection that is kept."""

    def __init__(self, program, person):
        if person not in program.sessions:
            program.sign_in(person)
        self.headers = {"Content-Type": "application/json", **program.sessions[person].headers}
        where = urlparse(program.base())
        self.prefix = where.path.rstrip("/")
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=120)

    def ask(self, method, path, body=None):
        self.connection.request(method, self.prefix + path, None if body is None else json.dumps(body).encode(),
                                self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content and method != "HEAD" else None


class Bench:
    def __init__(self, rate, over, arguments):
        self.arguments = arguments
        self.world = World(agents=0)
        hub = self.world.hub
        self.road = BadRoad(hub.port, rate) if rate else None
        port = self.road.port if self.road else hub.port
        ticket = hub.ticket(self.world.folder / "t.ticket", *self.world.scopes, name="far", address=f"127.0.0.1:{port}")
        self.agent = Agent(self.world.folder / "far").enrol(ticket)
        (self.agent.folder / "agent.toml").write_text(f'[link]\nroad = "{over}"\n', encoding="utf-8")
        self.agent.start()
        self.world.agents.append(self.agent)
        self.agent.meet(WANG)
        self.agent.sync()
        self.near, self.far = Asker(self.agent, WANG), Asker(hub, OFFICER)

    def close(self):
        if self.road:
            self.road.close()
        self.world.__exit__(None, None, None)

    def attach(self, count, size):
        """Addresses of that many files, not sent yet."""
        self.agent.online(False)
        addresses = []
        for number in range(count):
            path = self.world.folder / "film.mp4"
            film(path, size, number)
            visit = self.world.new_visit(self.agent)
            done = subprocess.run(
                [self.agent.program, "--data", str(self.agent.folder), "--json", "attach", visit, str(path), "--as", WANG,
                 "--password-file", "-"], input=PASSWORD + "\n", capture_output=True, text=True, check=True,
                env=self.agent.environment, timeout=600)
            addresses.append(f"/files/{json.loads(done.stdout)['files'][0]['sha256']}?record={visit}")
            path.unlink()
        self.agent.online(True)
        for asker in (self.near, self.far):  # idle for long
            asker.connection.close()
        return addresses

    def save(self):
        """Seconds from the answer to the save until the hub shows the record."""
        status, made = self.near.ask("POST", "/records", {"type": "visit_record", "value": VISIT, "as": WANG})
        assert status in (200, 201), made
        began = time.monotonic()
        while self.far.ask("GET", f"/records/{made['id']}")[0] != 200:
            if time.monotonic() - began > 120:
                raise RuntimeError("a record does not arrive")
            time.sleep(0.001)
        return time.monotonic() - began

    def saves(self, goes_on=lambda: True):
        pause = random.Random(7)
        times = []
        while len(times) < self.arguments.saves and goes_on():
            times.append(self.save())
            time.sleep(pause.uniform(0, 2 * self.arguments.pause))
        return times

    def beside(self, files, size):
        """The same while files are under way; also how many bytes of them a second got through."""
        addresses = self.attach(files, size)
        waiting = list(addresses)
        self.wait_until_it_flows()
        began, read_before = time.monotonic(), self.bytes_sent()

        def under_way():
            while waiting and self.far.ask("HEAD", waiting[0])[0] == 200:
                waiting.pop(0)
            return bool(waiting)

        times = self.saves(under_way)
        rate = (self.bytes_sent() - read_before) / (time.monotonic() - began)
        return times, rate, not waiting

    def bytes_sent(self):
        roads = self.agent.get("/status")["link"]["roads"]
        return sum(road["bytes_written"] for road in roads.values())

    def wait_until_it_flows(self):
        before = self.bytes_sent()
        until = time.monotonic() + 60
        while self.bytes_sent() < before + (1 << 20):
            if time.monotonic() > until:
                raise RuntimeError("the file does not move")
            time.sleep(0.005)


def figures(times):
    ordered = sorted(times)
    return {"saves": len(ordered), "p50_ms": round(statistics.median(ordered) * 1000, 1),
            "p99_ms": round(ordered[max(0, -(-len(ordered) * 99 // 100) - 1)] * 1000, 1),
            "worst_ms": round(ordered[-1] * 1000, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two saves, on average")
    parser.add_argument("--megabytes", type=float, default=200, help="of a file")
    parser.add_argument("--rate", type=int, default=2_000_000, help="of the narrow road, bytes a second")
    parser.add_argument("--roads", nargs="*", default=["websocket", "https"])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    rows = []
    print(f"from \"saved\" to readable at the hub, {arguments.saves} saves, files of {arguments.megabytes:.0f} MB "
          f"(goal: p99 within {GOAL_S:.0f} s)")
    print("road       rate         upload  saves   p50 ms   p99 ms  worst ms  p99 ratio  file MB/s")
    for over in arguments.roads:
        for rate in (0, arguments.rate):
            bench = Bench(rate, over, arguments)
            try:
                without = figures(bench.saves())
                # On loopback a file is through before all saves are made: several, one after the other.
                during, flow, ended = bench.beside(1 if rate else 4, int(arguments.megabytes * 1e6))
                with_it = figures(during)
            finally:
                bench.close()
            ratio = with_it["p99_ms"] / without["p99_ms"]
            rows.append({"road": over, "rate": rate, "without": without, "with": with_it, "p99_ratio": round(ratio, 2),
                         "file_bytes_per_s": round(flow), "upload_ended_first": ended})
            name = f"{rate / 1e6:g} MB/s" if rate else "loopback"
            for upload, told in (("no", without), ("yes", with_it)):
                print(f"{over:10} {name:12} {upload:6} {told['saves']:6} {told['p50_ms']:8.1f} {told['p99_ms']:8.1f}"
                      f"  {told['worst_ms']:8.1f}" + (f"  {ratio:9.2f}  {flow / 1e6:9.2f}" if upload == "yes" else ""),
                      flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"goal_s": GOAL_S, "rows": rows}, indent=1), encoding="utf-8")
    short = [row for row in rows if row["with"]["saves"] < arguments.saves]
    if short:
        print("上传先结束，样本不足 / the upload ended before all saves were made: fewer samples", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
