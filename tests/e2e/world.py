"""A hub and some agents as real processes in a temporary folder, for the end-to-end tests."""

import http.client
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from duhui import BUILD, DATA, PASSWORD, Agent, Hub, Refused, sample, scope_of, settle  # noqa: E402,F401

WANG = "u-sup-001"
OFFICER = "u-off-430202-1"
VISIT = {
    "school_id": "sch-001", "visit_kind": "routine", "visit_mode": "drop_in", "visit_date": "2025-10-09",
    "period": "am", "template_id": "TPL_ROUTINE_8", "template_version": 1,
    "participants": {"lead": "sup-001", "supervisor_ids": ["sup-001"]},
}
# What a process that was just killed leads to; the outcome of the request is unknown then.
CUT = (OSError, http.client.HTTPException)


class World:
    """`with World(agents=3) as world:`; every agent sits in zone-430202-1 and sees sch-001 and sch-002."""

    def __init__(self, agents=2, registries=False, environment=None):
        self.folder = Path(tempfile.mkdtemp(prefix="duhui-e2e-"))
        self.hub = Hub(self.folder / "hub", environment)
        self.hub.run("init")
        self.hub.start()
        if registries:
            self.hub.run("import", "--from", str(DATA))
        else:
            self.import_schools()
        self.scopes = (scope_of("sch-001"), scope_of("sch-002"))
        self.hub.accounts(WANG, OFFICER, places=((OFFICER, "sch-001"), (OFFICER, "sch-002")))
        self.texts = 0
        self.agents = [self.new_agent(f"agent-{n}", environment) for n in range(agents)]

    def import_schools(self):
        """Only what records of two schools need: an import of everything takes longer than most tests."""
        few = self.folder / "registries"
        few.mkdir()
        for name in ("orgs.json", "schools.csv", "users.csv", "supervisors.csv", "assignments.csv"):
            text = (DATA / name).read_text(encoding="utf-8")
            if name.endswith(".csv"):
                head, *rows = text.splitlines()
                keep = [r for r in rows if ("430202" in r or r.startswith(("asg-", "u-con-", "u-pri-")))
                        and ("sch-001" in r or "sch-002" in r or r.startswith("u-off")
                             or ("sup-00" in r and not r.startswith("asg-")))]
                text = "\n".join([head, *keep]) + "\n"
            (few / name).write_text(text, encoding="utf-8")
        self.hub.run("import", "--from", str(few))

    def new_agent(self, name, environment=None, scopes=None):
        ticket = self.hub.ticket(self.folder / f"{name}.ticket", *(scopes or self.scopes), name=name)
        agent = Agent(self.folder / name, environment).enrol(ticket).start()
        agent.saved = set()
        agent.meet(WANG, OFFICER)
        agent.sync()
        return agent

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for program in (*self.agents, self.hub):
            program.kill()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"left for a look: {self.folder}")

    def new_visit(self, agent, **more):
        return agent.create("visit_record", {**VISIT, **more}, WANG)["id"]

    def settle(self, *agents):
        settle(*(agents or self.agents))

    def save(self, agent, visit, prefix="text"):
        """Saves one new text; it counts as saved only when the program said so."""
        self.texts += 1
        text = f"{prefix}#{self.texts}#"
        edit = {"do": "add", "field": "attachments",
                "value": {"id": f"p{self.texts}", "file_name": "a.jpg", "mime": "image/jpeg", "caption": text,
                          "by": WANG}}
        agent.edit(visit, WANG, [edit])
        agent.saved.add(text)
        return text


def status_at(program, person, path):
    """Of the answer to that person."""
    try:
        program.ask("GET", path, person=person)
        return 200
    except Refused as refused:
        return refused.status


def texts_at(program, visits):
    """Every text of these visits that the program shows."""
    texts = set()
    for visit in visits:
        try:
            shown = program.record(visit)["value"]
        except Refused as refused:
            if refused.status == 404:
                continue
            raise
        texts |= {photo["caption"] for photo in shown.get("attachments", [])}
    return texts
