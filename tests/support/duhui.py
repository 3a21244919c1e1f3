"""The two programs as their users run them: started, asked, killed. For the demo and the end-to-end tests."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote, urlparse

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BUILD = Path(os.environ.get("DUHUI_BUILD_DIR", ROOT / "build" / "debug"))
HUB_PROGRAM = BUILD / "hub" / "app" / "duhui-hub"
AGENT_PROGRAM = BUILD / "agent" / "app" / "duhui-agent"


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {json.dumps(body, ensure_ascii=False)}")
        self.status = status
        self.body = body


# What the sample people of tests and demo sign in with.
PASSWORD = "dingxiang-258"
# What is the machine's, not a person's: asked over the control socket, as its operator.
MACHINE = ("/status", "/sync", "/link", "/devices", "/tickets", "/import", "/verify", "/quarantine", "/accounts",
           "/audit", "/usb", "/bundles")


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Session:
    """A person who has signed in."""

    def __init__(self, cookie, csrf):
        self.headers = {"Cookie": cookie, "X-Duhui-CSRF": csrf}


class Program:
    """One program on one data folder."""

    def __init__(self, program, folder, environment=None):
        self.program = str(program)
        self.folder = Path(folder)
        self.environment = dict(os.environ, LANG="zh_CN.UTF-8", **(environment or {}))
        self.process = None
        self.addresses = {}
        self.sessions = {}
        self.people = {}  # id -> password, of those who can sign in here
        self.reader = None  # who looks at records when nobody else is named

    def run(self, *words, check=True, text_input=None):
        """The command line, as JSON. Raises with its own words when it fails."""
        done = subprocess.run(
            [self.program, "--data", str(self.folder), "--json", *words],
            capture_output=True, text=True, env=self.environment, input=text_input, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        lines = done.stdout.strip()
        try:
            return json.loads(lines) if lines else {}
        except json.JSONDecodeError:
            return {"text": lines}

    def say(self, *words):
        """The command line's words for people."""
        done = subprocess.run([self.program, "--data", str(self.folder), *words],
                              capture_output=True, text=True, env=self.environment, timeout=120)
        return done.stdout.strip()

    def start(self, *words, patience=30.0):
        listen = self.folder / "listen.json"
        listen.unlink(missing_ok=True)
        self.sessions = {}
        log = self.folder.parent / (self.folder.name + ".log")
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                [self.program, "--data", str(self.folder), "serve", *words],
                stdout=out, stderr=out, env=self.environment, start_new_session=True)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.folder.name} ended at once: exit {self.process.returncode}\n"
                                   + log.read_text(errors="replace")[-2000:])
            try:
                self.addresses = json.loads(listen.read_text())
                self.get("/health")
                return self
            except (OSError, json.JSONDecodeError, ConnectionError, http.client.HTTPException):
                time.sleep(0.01)
        raise RuntimeError(f"{self.folder.name} does not answer")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def stop(self, patience=10.0):
        """SIGTERM; the seconds it took."""
        if not self.process or self.process.poll() is not None:
            self.process = None
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        finally:
            if self.process.poll() is None:
                self.kill()
        self.process = None
        return time.monotonic() - began

    # --- the API ---

    def base(self):
        return self.addresses.get("api") or self.addresses["http"]

    def exchange(self, method, path, body=None, headers=None, timeout=60, operator=False):
        """One request as given, without judgement: status, headers (lower case), body."""
        where = urlparse(self.base())
        target = where.path.rstrip("/") + path
        if operator:
            connection = SocketConnection(str(self.folder / "control.sock"), timeout)
        else:
            connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        kind = told.get("content-type", "").split(";")[0]
        parsed = json.loads(text) if kind == "application/json" else text
        self.log_response(method, target, answer.status, kind, parsed)
        return answer.status, told, parsed

    def log_response(self, method, target, status, kind, body):
        """For check_openapi.py, if it runs us."""
        log = os.environ.get("DUHUI_RESPONSE_LOG")
        if log:
            line = {"program": self.api, "method": method, "target": target, "status": status,
                    "content_type": kind, "body": body}
            with open(log, "a", encoding="utf-8") as out:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")

    def sign_in(self, person, password=None):
        """A session of this person, here."""
        body = json.dumps({"user": person, "password": self.people[person] if password is None else password}).encode()
        status, headers, answer = self.exchange("POST", "/session", body, {"Content-Type": "application/json"})
        if status >= 300:
            raise Refused(status, answer)
        self.sessions[person] = Session(headers["set-cookie"].split(";")[0], answer["csrf"])
        return answer

    def asker(self, path, body):
        """Who asks: the operator (None), or a person."""
        if path.split("?")[0].rstrip("/").startswith(MACHINE):
            return None
        person = body.get("as") if isinstance(body, dict) else None
        if person is None:
            person = self.reader
        return person if person in self.people else None

    def ask(self, method, path, body=None, timeout=60, person=None):
        text = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        head = {"Content-Type": "application/json"}
        person = person or self.asker(path, body)
        if path == "/health":
            status, _, answer = self.exchange(method, path, text, head, timeout)
        elif person is None:
            status, _, answer = self.exchange(method, path, text, head, timeout, operator=True)
        else:
            for fresh in (False, True):
                if fresh or person not in self.sessions:
                    self.sign_in(person)
                status, _, answer = self.exchange(method, path, text, head | self.sessions[person].headers, timeout)
                if status != 401:
                    break
        if status >= 300:
            raise Refused(status, answer)
        return answer

    def get(self, target, /, **query):
        if query:
            target += "?" + "&".join(f"{k}={quote(str(v), safe='')}" for k, v in query.items())
        return self.ask("GET", target)

    def post(self, path, body=None, timeout=60):
        return self.ask("POST", path, {} if body is None else body, timeout)

    def read_file(self, sha256, record, person):
        """A file of a record, as this person gets it: status, bytes."""
        if person not in self.sessions:
            self.sign_in(person)
        where = urlparse(self.base())
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        try:
            connection.request("GET", f"{where.path.rstrip('/')}/files/{sha256}?record={record}",
                               headers=self.sessions[person].headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    # --- records ---

    def create(self, kind, value, person, **more):
        return self.post("/records", {"type": kind, "value": value, "as": person, **more})

    def record(self, record, kind=None):
        return self.get(f"/records/{quote(record, safe='')}", **({"type": kind} if kind else {}))

    def edit(self, record, person, edits, kind=None, **more):
        suffix = f"?type={kind}" if kind else ""
        return self.post(f"/records/{quote(record, safe='')}/edits{suffix}",
                         {"as": person, "edits": edits, **more})

    def set(self, record, person, field, value, **more):
        return self.edit(record, person, [{"do": "set", "field": field, "value": value}], **more)

    def field(self, record, path):
        return self.get(f"/records/{quote(record, safe='')}/field", path=path)

    def listed(self, **query):
        """All rows of GET /records."""
        rows, after = [], None
        while True:
            page = self.get("/records", limit=500, **query, **({"after": after} if after else {}))
            rows += page["records"]
            after = page.get("next")
            if not after:
                return rows


class Hub(Program):
    api = HUB_PROGRAM.name  # also where a wrapper starts it

    def __init__(self, folder, environment=None):
        super().__init__(HUB_PROGRAM, folder, environment)
        self.port = 0
        self.listens = "127.0.0.1"  # to devices

    def start(self, *words, **more):
        # The same port again after a restart, so that agents find it.
        super().start("--listen", f"{self.listens}:{self.port}", "--http", "127.0.0.1:0", *words, **more)
        self.port = self.addresses["devices_port"]
        return self

    def accounts(self, *people, places=(), scopes=()):
        """Passwords for sample people; `places`: (person, school) beyond their own, `scopes`: (person, scope)."""
        rows = "".join(f"{person},{PASSWORD}\n" for person in people if person not in self.people)
        if rows:
            self.run("account", "import", "--passwords", "-", "--keep", text_input="login,password\n" + rows)
        for person, school in places:
            self.post(f"/accounts/{person}/places", {"school": school})
        for person, scope in scopes:
            self.post(f"/accounts/{person}/places", {"place": scope})
        self.people |= {person: PASSWORD for person in people}
        return self

    def ticket(self, path, *scopes, name="", uses=1, address=""):
        words = ["ticket", "create", "--out", str(path), "--uses", str(uses)]
        if address:
            words += ["--address", address]
        for scope in scopes:
            words += ["--scope", scope]
        self.run(*words, *(["--name", name] if name else []))
        return path


class Agent(Program):
    api = AGENT_PROGRAM.name

    def __init__(self, folder, environment=None):
        super().__init__(AGENT_PROGRAM, folder, environment)

    def enrol(self, ticket):
        self.run("init", "--ticket-file", str(ticket))
        return self

    def meet(self, *people, reader=None):
        """Who works at this device; `reader` looks at the records."""
        self.people |= {person: PASSWORD for person in people}
        self.reader = reader or self.reader or people[0]
        return self

    def sync(self, wait_ms=30_000):
        return self.post("/sync", {"wait_ms": wait_ms}, timeout=wait_ms / 1000 + 15)

    def online(self, enabled):
        return self.post("/link", {"enabled": enabled})


def settle(*agents, rounds=3):
    """Everybody exchanges everything."""
    for _ in range(rounds):
        for agent in agents:
            agent.sync()


def scope_of(school):
    """The scope of a school in the sample data."""
    import csv
    with open(DATA / "schools.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["id"] == school:
                parts = ["org-430200", row["district_id"], row["zone_id"], row["id"]]
                return "/".join(part for part in parts if part)
    raise KeyError(school)


def sample(name, school=None):
    with open(DATA / name, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines if line.strip()]
    return [r for r in records if school is None or r.get("school_id") == school]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
