"""Two network namespaces and a bad road between them, in user space: rate, delay, jitter, loss and a queue, the same for the
same seed, under real TCP. For machines of which the kernel has no netem. Linux; root and /dev/net/tun are needed.

    with SlowLink(Road(rate_bits=20_000, delay_ms=300, loss=0.1), seed=1) as link:
        subprocess.run(link.open().near.enter + ["curl", f"http://{link.far.address}:8080"])
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000


@dataclass
class Road:
    """One way; a SlowLink has the same both ways unless it is given two."""
    rate_bits: int = 0  # a second; 0: no limit
    delay_ms: float = 0
    jitter_ms: float = 0  # around the delay, evenly; packets do not overtake
    loss: float = 0  # of packets, as they come, each by itself
    queue_bytes: int = 32 << 10  # what waits for the narrow place; more is lost


@dataclass
class Passed:
    packets: int = 0  # that came onto the road
    bytes: int = 0
    lost: int = 0
    overflowed: int = 0
    delivered_bytes: int = 0
    sizes: list = field(default_factory=list)  # (seconds since the link opened, bytes), as they came


def missing():
    """Why there can be no slow link here; empty if there can."""
    if os.geteuid() != 0:
        return "网络命名空间需要 root / network namespaces need root"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError:
        return "没有 /dev/net/tun / there is no /dev/net/tun"
    for program in ("ip", "ss", "unshare", "nsenter"):
        if shutil.which(program) is None:
            return f"没有 {program}（iproute2, util-linux） / {program} is missing"
    made = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return "" if made.returncode == 0 else "不能建立网络命名空间 / no network namespace can be made"


class Namespace:
    """One side. `enter`: words before a command that is to run there."""

    def __init__(self, address, other):
        self.address = address
        # Lives as long as this process does not let go of its input.
        self.holder = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       start_new_session=True)
        self.path = f"/proc/{self.holder.pid}/ns/net"
        ours = os.readlink("/proc/self/ns/net")
        until = time.monotonic() + 10
        while os.readlink(self.path) == ours:
            if self.holder.poll() is not None or time.monotonic() > until:
                raise RuntimeError("no network namespace")
            time.sleep(0.001)
        self.enter = ["nsenter", f"--net={self.path}"]
        self.tun = self.call(self.open_tun)
        for words in (["link", "set", "lo", "up"], ["addr", "add", address, "peer", other, "dev", "slow0"],
                      ["link", "set", "slow0", "mtu", "1500", "txqueuelen", "1000"]):
            subprocess.run([*self.enter, "ip", *words], check=True, capture_output=True)

    def open_tun(self):
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"slow0", IFF_TUN_NO_PI))
        return tun

    def call(self, function):
        """Its result, from a thread that lives in the namespace, as do the processes that it starts."""
        outcome = {}

        def there():
            try:
                namespace = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(namespace)
                outcome["result"] = function()
            except BaseException as error:  # pylint: disable=broad-except  # raised below, on the caller's thread
                outcome["error"] = error

        thread = threading.Thread(target=there)
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["result"]

    def set_device(self, state):
        subprocess.run([*self.enter, "ip", "link", "set", "slow0", state], check=True, capture_output=True)

    def close(self):
        os.close(self.tun)
        self.holder.stdin.close()
        self.holder.wait(10)


class OneWay:
    def __init__(self, road, source, target, seed):
        self.road, self.source, self.target = road, source, target
        self.random = random.Random(seed)
        self.passed = Passed()
        self.free_at = 0.0  # the narrow place
        self.last_due = 0.0
        self.on_their_way = []  # (due, number, packet)

    def take(self, packet, now, since):
        passed, road = self.passed, self.road
        passed.packets += 1
        passed.bytes += len(packet)
        passed.sizes.append((since, len(packet)))
        # Drawn for every packet alike, so that a seed means the same whatever else is set.
        dice, shake = self.random.random(), self.random.uniform(-1, 1)
        if dice < road.loss:
            passed.lost += 1
            return
        if road.rate_bits:
            starts = max(self.free_at, now)
            if (starts - now) * road.rate_bits / 8 + len(packet) > road.queue_bytes:
                passed.overflowed += 1
                return
            self.free_at = starts + len(packet) * 8 / road.rate_bits
            now = self.free_at
        due = max(now + max(0.0, road.delay_ms + shake * road.jitter_ms) / 1000, self.last_due)
        self.last_due = due
        heapq.heappush(self.on_their_way, (due, passed.packets, packet))

    def deliver(self, now):
        """When the next one is due."""
        while self.on_their_way and self.on_their_way[0][0] <= now:
            packet = heapq.heappop(self.on_their_way)[2]
            self.passed.delivered_bytes += len(packet)
            try:
                os.write(self.target, packet)
            except BlockingIOError:
                pass
        return self.on_their_way[0][0] if self.on_their_way else None


class SlowLink:
    """`near` and `far` are the two sides. Until open() and after shut() there is no network on the near one."""

    def __init__(self, road, back=None, seed=1):
        self.near, self.far = Namespace("10.77.0.1", "10.77.0.2"), Namespace("10.77.0.2", "10.77.0.1")
        self.to_far = OneWay(road, self.near.tun, self.far.tun, seed * 2)
        self.to_near = OneWay(back or road, self.far.tun, self.near.tun, seed * 2 + 1)
        self.far.set_device("up")
        self.opened_at = None
        self.ends, self.end = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def open(self):
        self.near.set_device("up")
        self.opened_at = time.monotonic()
        return self

    def shut(self):
        self.opened_at = None
        self.near.set_device("down")

    def run(self):
        ways = (self.to_far, self.to_near)
        wait = None
        while True:
            ready, _, _ = select.select([self.ends, *(way.source for way in ways)], [], [], wait)
            if self.ends in ready:
                return
            opened = self.opened_at
            for way in ways:
                if way.source in ready:
                    packet = os.read(way.source, 65536)
                    now = time.monotonic()
                    if opened is not None and packet[0] >> 4 == 4:  # the kernel's own IPv6 greetings count for nothing
                        way.take(packet, now, now - opened)
                if opened is None:
                    way.on_their_way.clear()
            now = time.monotonic()
            dues = [due for way in ways if (due := way.deliver(now)) is not None]
            wait = max(0.0, min(dues) - time.monotonic()) if dues else None

    def close(self):
        os.write(self.end, b".")
        self.thread.join()
        os.close(self.end)
        os.close(self.ends)
        self.near.close()
        self.far.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
