"""No secret in anything the programs put out: a run of both with planted secrets, and a search of all its output.

Searched: standard output and error of every command, log files at the most talkative level, answers of the API, exports,
listen.json, the databases, and the arguments of every process while it ran. Looked for: tickets' secrets and codes, both
private keys of the hub, the device's key, passwords, session cookies and CSRF tokens; as they are, and in hexadecimal,
base 64 (both alphabets, at each alignment) and base 32 (both alphabets). Any WINDOW characters of one in a row count.
"""

import base64
import json
import os
import re
import socket
import stat
import subprocess
import threading
import unittest
from pathlib import Path

from world import OFFICER, PASSWORD, WANG, World

WINDOW = 12
CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def crockford(text):
    back = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return base64.b32decode(text.translate(back) + "=" * (-len(text) % 8))


def forms(secret):
    """Every way the bytes may have been written."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for shift in range(3):  # inside something longer, at any place
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + secret).rstrip(b"=")
            yield text[(shift * 8 + 5) // 6:-1]
    plain = base64.b32encode(secret).rstrip(b"=")[:-1]
    yield plain
    yield plain.decode().translate(CROCKFORD).encode()


def windows(text):
    if len(text) < WINDOW:
        return {text}
    return {text[at:at + WINDOW] for at in range(len(text) - WINDOW + 1)}


class Search:
    """The planted secrets by name, and what was put out by where."""

    def __init__(self):
        self.secrets = {}
        self.outputs = []

    def plant(self, name, secret):
        raw = secret if isinstance(secret, bytes) else secret.encode()
        assert len(raw) >= 8, name
        self.secrets[name] = set().union(*(windows(form) for form in forms(raw)))

    def saw(self, where, output):
        self.outputs.append((where, output if isinstance(output, bytes) else output.encode()))

    def found(self):
        return sorted({f"{name} in {where}" for name, pieces in self.secrets.items()
                       for where, output in self.outputs if any(piece in output for piece in pieces)})


class Arguments:
    """The command lines of all processes, while it is open."""

    def __init__(self, search):
        self.search = search
        self.over = threading.Event()
        self.seen = set()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def look(self):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    self.seen.add((entry / "cmdline").read_bytes())
                except OSError:
                    pass

    def watch(self):
        while not self.over.wait(0.02):
            self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.search.saw("the arguments of a process", b"\n".join(self.seen))


def private_scalar(pem):
    """The 32 secret bytes of an EC key in PEM."""
    body = re.search(r"-----BEGIN[^-]*PRIVATE KEY-----(.*?)-----END", pem, re.S).group(1)
    der = base64.b64decode(body)
    return der[der.index(b"\x04\x20") + 2:][:32]


class Secrets(unittest.TestCase):
    def setUp(self):
        self.search = Search()

    def command(self, program, *words, text_input=None, hands_out=False):
        """One command, and all it says; `hands_out`: to hand out a secret is its purpose."""
        done = subprocess.run([program.program, "--data", str(program.folder), *words], capture_output=True,
                              env=program.environment, input=text_input, timeout=120)
        where = f"{Path(program.program).name} {' '.join(words[:3])}"
        if not hands_out:
            self.search.saw(where + " (output)", done.stdout)
        self.search.saw(where + " (errors)", done.stderr)
        return done

    def call(self, program, method, path, body=None, headers=None, hands_out=False):
        text = None if body is None else json.dumps(body).encode()
        status, told, answer = program.exchange(method, path, text,
                                                {"Content-Type": "application/json", **(headers or {})},
                                                operator=not headers)
        if not hands_out:
            self.search.saw(f"{method} {path}", json.dumps([told, answer], ensure_ascii=False))
        return status, told, answer

    def plant_keys(self, world):
        hub = world.hub.folder
        self.search.plant("hub.key", unpadded((hub / "hub.key").read_text().split()[2])[:32])
        self.search.plant("tls.key", private_scalar((hub / "tls.key").read_text()))
        self.search.plant("the password of everybody", PASSWORD.encode())
        for program in (world.hub, *world.agents):
            program.sign_in(WANG)
            for name, value in program.sessions[WANG].headers.items():
                self.search.plant(f"{name} at {program.folder.name}", value.split("=")[-1].encode())
        for agent in world.agents:
            self.search.plant(f"the key of {agent.folder.name}",
                              unpadded((agent.folder / "identity.key").read_text().split()[2])[:32])

    def plant_ticket(self, name, ticket):
        secret = re.search(r"^secret (\S+)$", ticket["file"], re.M).group(1)
        self.search.plant(f"the secret of {name}", crockford(secret))
        # The code without its public parts: the id in front, the address behind.
        self.search.plant(f"the code of {name}", ticket["code"].split("@")[0][10:40])

    def make_tickets(self, world):
        """Tickets that are handed out in each way, used, wrong and half wrong."""
        made = json.loads(self.command(world.hub, "--json", "ticket", "create", "--school", "sch-001",
                                       hands_out=True).stdout)
        self.plant_ticket("a ticket", made)
        path = world.folder / "by-file.ticket"
        out = self.command(world.hub, "ticket", "create", "--school", "sch-002", "--out", str(path), hands_out=True)
        self.assertEqual(out.returncode, 0)
        secret = re.search(r"^secret (\S+)$", path.read_text(), re.M).group(1)
        self.search.plant("the secret of a ticket in a file", crockford(secret))
        _, _, over_http = self.call(world.hub, "POST", "/tickets", {"school": "sch-001"}, hands_out=True)
        if "file" in over_http:
            self.plant_ticket("a ticket over HTTP", over_http)
        return made, path

    def misuse_tickets(self, world, made, path):
        """Each mistake of somebody who types or copies one."""
        agent = type(world.agents[0])(world.folder / "wrong")
        wrong = (
            made["file"].replace("secret ", "secret  !", 1),
            made["file"].replace("secret ", "Secret", 1),
            made["file"].replace("secret ", "secret", 1),
            made["file"][:-9] + "\n",
            made["code"].replace("-", "", 3)[:-1] + str((int(made["code"][-1]) + 1) % 10),
            made["code"][:20],
            made["code"] + "\n" + made["code"],
        )
        for text in wrong:
            done = self.command(agent, "init", "--ticket-file", "-", text_input=text.encode())
            self.assertNotEqual(done.returncode, 0, text)
        self.assertEqual(self.command(agent, "init", "--ticket-file", str(path)).returncode, 0)
        self.assertNotEqual(self.command(agent, "init", "--ticket-file", str(path)).returncode, 0)
        return agent

    def talk(self, world):
        """Everything people and scripts ask of the programs, right and wrong."""
        hub, agent = world.hub, world.agents[0]
        visit = world.new_visit(agent)
        agent.sync()
        for words in (("status",), ("--json", "status"), ("ticket", "list"), ("device", "list"),
                      ("--json", "device", "list"), ("quarantine",), ("verify",), ("verify", "--record", visit),
                      ("audit", "list", "--limit", "1000"), ("audit", "verify"), ("config", "check"),
                      ("device", "show", "nobody"), ("ticket", "create", "--school", "no-such-school"),
                      ("nonsense",), ("record", "list", "--type", "visit_record", "--as", OFFICER)):
            self.command(hub, *words)
        for name, words in (("audit.jsonl", ("audit", "export")), ("all.proof", ("proof", "export", "--all")),
                            ("one.proof", ("proof", "export", "--record", visit))):
            path = world.folder / name
            self.assertEqual(self.command(hub, *words, str(path)).returncode, 0, name)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, name)
            self.search.saw(name, path.read_bytes())
        for words in (("status",), ("--json", "status"), ("sync",), ("config", "check"), ("nonsense",),
                      ("record", "show", visit)):
            self.command(agent, *words)
        for program in (hub, agent):
            for path in ("/status", "/health", "/devices", "/tickets", "/quarantine", "/audit?limit=1000",
                         "/records?type=visit_record", "/export", "/conflicts", "/nothing"):
                self.call(program, "GET", path)
            self.call(program, "POST", "/records", {"type": "visit_record", "as": WANG, "value": {"nonsense": 1}})

    def look_at_files(self, world, more):
        """Logs, addresses, databases: what secrets must not be in, whoever may read it."""
        for program in (world.hub, *world.agents, *more):
            log = program.folder.parent / (program.folder.name + ".log")
            if log.exists():
                self.search.saw(f"the words of {program.folder.name}", log.read_bytes())
            keys = {"hub.key", "tls.key", "identity.key", "identity.json", "identity.spare"}
            for path in program.folder.rglob("*"):
                if path.is_file() and not path.is_socket() and path.name not in keys:
                    self.search.saw(str(path.relative_to(world.folder)), path.read_bytes())

    def check_modes(self, folder):
        """Nothing in a data folder is for anybody but its owner."""
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode) & 0o077, 0, folder)
        for path in folder.rglob("*"):
            mode = stat.S_IMODE(path.lstat().st_mode)
            self.assertEqual(mode & 0o077, 0, f"{path}: {mode:o}")

    def check_memory(self, program):
        """A crash leaves no core with keys in it."""
        limits = Path(f"/proc/{program.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size\s+0\s+0")

    def test_a_whole_run_tells_no_secret(self):
        before = os.umask(0o000)  # as careless as can be
        try:
            with Arguments(self.search), World(agents=1) as world:
                world.hub.stop()
                (world.hub.folder / "hub.toml").write_text('[log]\nlevel = "debug"\n')
                world.hub.start()
                agent = world.agents[0]
                agent.stop()
                (agent.folder / "agent.toml").write_text('[log]\nlevel = "debug"\n')
                for file in (world.hub.folder / "hub.toml", agent.folder / "agent.toml"):
                    file.chmod(0o600)
                agent.start()
                self.plant_keys(world)
                made, path = self.make_tickets(world)
                another = self.misuse_tickets(world, made, path)
                self.talk(world)
                for program in (world.hub, agent):
                    self.check_memory(program)
                    self.check_modes(program.folder)
                agent.stop()
                self.command(agent, "fsck")
                self.command(agent, "--json", "fsck")
                world.hub.stop()
                for program in (world.hub, agent, another):
                    self.check_modes(program.folder)
                self.look_at_files(world, [another])
        finally:
            os.umask(before)
        self.assertGreater(len(self.search.secrets), 5)
        self.assertGreater(len(self.search.outputs), 60)
        self.assertEqual(self.search.found(), [])

    def test_the_search_finds_what_it_looks_for(self):
        secret = bytes(range(40, 72))
        text = base64.b64encode(secret).decode()
        hidden = (secret, secret.hex(), text, base64.b64encode(b"x" + secret + b"yz"),
                  base64.urlsafe_b64encode(b"ab" + secret), base64.b32encode(secret),
                  base64.b32encode(secret).decode().translate(CROCKFORD), secret[7:7 + WINDOW])
        for where, output in enumerate(hidden):
            search = Search()
            search.plant("it", secret)
            search.saw("nothing", b"nothing of interest " * 50)
            self.assertEqual(search.found(), [])
            search.saw(str(where), output)
            self.assertEqual(search.found(), [f"it in {where}"])

    def test_the_control_socket_is_for_its_owner_only(self):
        with World(agents=1) as world:
            for program in (world.hub, world.agents[0]):
                path = Path(program.addresses["control"]) if "control" in program.addresses else \
                    program.folder / "control.sock"
                self.assertTrue(stat.S_ISSOCK(path.stat().st_mode))
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)
                if os.geteuid() != 0:
                    continue
                # Somebody else on the machine, to whom even the way there is open.
                child = os.fork()
                if child == 0:
                    os.setgid(65534)
                    os.setuid(65534)
                    try:
                        with socket.socket(socket.AF_UNIX) as stream:
                            stream.connect(str(path))
                        os._exit(1)
                    except PermissionError:
                        os._exit(0)
                self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, path)


if __name__ == "__main__":
    unittest.main()
