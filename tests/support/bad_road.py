"""A road between a device and its hub that a test can spoil: it counts, limits the rate, breaks. For the end-to-end tests
and the measurements.
"""

import socket
import struct
import threading
import time
from dataclasses import dataclass

from roads import Server

# Where Linux's struct tcp_info has it.
TCP_INFO_BYTES_RECEIVED = 128
SEGMENT = 1400  # as on a road with Ethernet somewhere; loopback's 64 KiB make a small window stutter
RESET = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Passed:
    """One connection, as the road saw it."""
    up: int = 0  # bytes of the device that went through
    down: int = 0
    sent: int = 0  # by the device: also what waited before the narrow place when the connection ended
    broken: bool = False


class Pace:
    """`rate` bytes a second, for all connections together."""

    def __init__(self, rate):
        self.rate, self.free_at, self.lock = rate, 0.0, threading.Lock()

    def step(self):
        """What is read at once: some milliseconds."""
        return 65536 if not self.rate else max(512, min(65536, int(self.rate / 500)))

    def wait(self, count):
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + count / self.rate
            due = self.free_at
        time.sleep(max(0.0, due - now))


class BadRoad(Server):
    """Passes connections on to `port`. `rate`: bytes a second, each way; `break_after`: a connection is reset on both
    sides when so many bytes of the device have passed; `queue`: bytes that wait before the narrow place.
    `front` and `back` make other streams of the two sockets (TLS).
    """

    def __init__(self, port, rate=0, break_after=0, queue=16 << 10, front=None, back=None):
        self.behind, self.break_after = port, break_after
        self.front, self.back = front, back
        self.pace_up, self.pace_down = Pace(rate), Pace(rate)
        self.connections = []
        self.joined = set()
        self.lock = threading.Lock()
        super().__init__()
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, queue)

    # --- what happened ---

    def sent(self):
        """Bytes of devices, of all layers above TCP."""
        with self.lock:
            for front, _, passed in self.joined:
                passed.sent = received_by(front, passed.sent)
            return sum(passed.sent for passed in self.connections)

    def up(self):
        return sum(one.up for one in self.connections)

    def down(self):
        return sum(one.down for one in self.connections)

    def passed(self):
        return self.up() + self.down()

    # --- what a test does to it ---

    def pace(self, rate):
        self.pace_up.rate = self.pace_down.rate = rate

    def cut(self):
        """All connections, now."""
        with self.lock:
            joined = list(self.joined)
        for front, back, passed in joined:
            passed.broken = True
            wake(front, back, passed)

    def close(self):
        super().close()
        self.cut()

    # --- the road ---

    def serve(self, raw):
        plain = socket.create_connection(("127.0.0.1", self.behind))
        for end in (raw, plain):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            front = self.front(raw) if self.front else raw
            back = self.back(plain) if self.back else plain
        except OSError:  # of TLS, too
            plain.close()
            raise
        passed = Passed()
        joined = (front, back, passed)
        with self.lock:
            self.connections.append(passed)
            self.joined.add(joined)
        down = threading.Thread(target=self.pump_down, args=joined, daemon=True)
        down.start()
        self.pump_up(*joined)
        down.join()
        with self.lock:
            self.joined.discard(joined)
            passed.sent = received_by(front, passed.sent)
        for end in (front, back):
            if passed.broken:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.close()

    def pump_up(self, front, back, passed):
        limit = self.break_after
        try:
            while piece := front.recv(min(self.pace_up.step(), limit - passed.up) if limit else self.pace_up.step()):
                self.pace_up.wait(len(piece))
                back.sendall(piece)
                passed.up += len(piece)
                if limit and passed.up >= limit:
                    passed.broken = True
                    break
        except (OSError, ValueError):
            pass
        wake(front, back, passed)

    def pump_down(self, front, back, passed):
        try:
            while piece := back.recv(self.pace_down.step()):
                self.pace_down.wait(len(piece))
                front.sendall(piece)
                passed.down += len(piece)
        except (OSError, ValueError):
            pass
        wake(front, back, passed)


def wake(front, back, passed):
    """The other direction. A connection that breaks is reset when both have ended."""
    for end in (front, back):
        try:
            end.shutdown(socket.SHUT_RD if passed.broken else socket.SHUT_RDWR)
        except OSError:
            pass


def received_by(end, known):
    """By the kernel, in order, whether anybody has read it or not; a FIN counts as one byte."""
    try:
        info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return max(known, struct.unpack_from("Q", info, TCP_INFO_BYTES_RECEIVED)[0])
    except OSError:
        return known
