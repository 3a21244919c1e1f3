"""./dev demo: three schools work without network, then one hub brings everything together.

Real programs on loopback, real records of the sample data. Every step says what happened, with counts, bytes and
times; whatever differs from what must be makes the exit code 1. `--once` ends after the account; otherwise all four
programs go on running until Ctrl-C. `--through nginx` puts a proxy between them that ends TLS and kills WebSocket, `--through
tinyproxy` or `squid` one that is asked for the way. Ctrl-C or SIGTERM during the account: everything is stopped, exit code 130 or 143.
"""

import argparse
import hashlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import roads  # noqa: E402
from pictures import png  # noqa: E402
from duhui import DATA, PASSWORD, Agent, Hub, Refused, sample, scope_of, settle  # noqa: E402

OFFICER, WANG, LI, CONTACT = "u-off-430202-1", "u-sup-001", "u-sup-002", "u-con-001"
CITY = "u-city-1"  # brings in what others wrote, and looks at all of it
WEEK_SCHOOLS = ("sch-011", "sch-019", "sch-032")

JOINT_VISIT = {
    "school_id": "sch-001", "visit_kind": "special", "visit_mode": "joint", "visit_date": "2025-10-09",
    "period": "am", "arrived_at": "2025-10-09T08:30:00+08:00",
    "template_id": "TPL_CANTEEN", "template_version": 1,
    "participants": {"lead": "sup-001", "supervisor_ids": ["sup-001", "sup-002"]},
}


class Interrupted(BaseException):
    """SIGINT or SIGTERM, wherever we are."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Programs(list):
    """Everything that was begun, to be stopped in the end whatever happens."""

    def __init__(self):
        super().__init__()
        self.holding = False
        self.came = None

    def take_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.interrupt)

    def interrupt(self, number, _frame):
        self.came = number
        if not self.holding:
            raise Interrupted(number)

    def add(self, program):
        self.append(program)
        program.run, program.start = self.held(program.run), self.held(program.start)
        return program

    def held(self, make_process):
        """A signal waits until we know the process that is being made."""
        def make(*words, **more):
            self.holding = True
            try:
                return make_process(*words, **more)
            finally:
                self.holding = False
                if self.came:
                    raise Interrupted(self.came)
        return make

    def stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for program in reversed(self):
            program.stop()


class Account:
    """What the demo tells, and what it found wrong."""

    def __init__(self):
        self.step = 0
        self.wrong = []

    def head(self, zh, en):
        self.step += 1
        print(f"\n{self.step}. {zh}\n   {en}", flush=True)

    def line(self, text):
        print(f"     {text}", flush=True)

    def expect(self, holds, zh, en):
        print(f"     {'✓' if holds else '✗'} {zh} / {en}", flush=True)
        if not holds:
            self.wrong.append(en)


def say_value(value):
    if isinstance(value, dict) and "value" in value:
        remark = f"（{value['remark']}）" if value.get("remark") else ""
        return f"{value['value']}{remark}"
    return str(value)


def import_lines(agent, name, kind, school, folder):
    """The school's records of the term, through the command line, as their authors wrote them."""
    records = sample(name, school)
    file = folder / f"{school}-{name}"
    source = DATA / name
    lines = [line for line in source.read_text(encoding="utf-8").splitlines() if f'"school_id":"{school}"' in line]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if lines:
        agent.run("record", "import", str(file), "--type", kind, "--as", CITY, "--password-file", "-",
                  text_input=PASSWORD)
    assert len(lines) == len(records)
    return len(records)


def wire(link):
    """Bytes of the present connection as the socket carried them, TLS included."""
    return f"{link['bytes_written']} B ↑ {link['bytes_read']} B ↓"


def refused_without_password(hub):
    """Paths that answer somebody who has not signed in."""
    return [path for path in ("/records", "/status", "/devices", "/accounts")
            if hub.exchange("GET", path)[0] not in (401, 403)]


class Way:
    """What stands between the devices and the hub."""

    def __init__(self, through):
        self.through, self.address, self.settings = through, "", ""
        self.road = "https" if through == "nginx" else "websocket"

    def prepare(self, hub):
        if self.through == "nginx":
            (hub.folder / "hub.toml").write_text("[devices]\nbehind_tls_proxy = true\n")

    def build(self, hub, folder, programs):
        if not self.through:
            return
        if self.through == "nginx":
            programs.append(roads.Nginx(folder / "nginx", hub))
            self.address = f"127.0.0.1:{programs[-1].port}"
        else:
            proxy = {"tinyproxy": roads.Tinyproxy, "squid": roads.Squid}[self.through]
            programs.append(proxy(folder / self.through))
            self.settings = f'[proxy]\nurl = "http://127.0.0.1:{programs[-1].port}"\n'

    def set_out(self, agent):
        if self.settings:
            (agent.folder / "agent.toml").write_text(self.settings)
        return agent.start()


def begin(account, folder, programs, way):
    account.head("建立中心，导入登记数据", "make a hub, take in the registries")
    hub = programs.add(Hub(folder / "hub"))
    hub.run("init", "--name", "荷塘区教育督导室（样例）")
    way.prepare(hub)
    hub.start()
    way.build(hub, folder, programs)
    began = time.monotonic()
    hub.run("import", "--from", str(DATA))
    registries = len(hub.listed())
    account.line(f"{registries} 条登记记录 registry records, {time.monotonic() - began:.1f} s")
    account.expect(registries > 900, "登记数据已在中心", "the registries are at the hub")

    account.head("给出密码；每人只在自己的学校登录", "passwords are given out; people sign in at their own schools")
    began = time.monotonic()
    hub.accounts(CITY, OFFICER, WANG, LI, CONTACT,
                 places=[(CITY, school) for school in ("sch-001", *WEEK_SCHOOLS)])
    for one in hub.get("/accounts")["accounts"]:
        account.line(f"{one['login']:<14} {one['name']}  {', '.join(g['role'] for g in one['grants'])}  "
                     f"密码 password {PASSWORD}  地点 places {len(one['places'])}")
    account.line(f"{time.monotonic() - began:.1f} s")
    account.expect(not refused_without_password(hub), "不登录什么也看不到", "without signing in nothing is shown")

    account.head("三台终端凭入网凭证登记", "three devices enrol, each with its ticket")
    places = (("agent-a", ("sch-001", "sch-002", "sch-011")),
              ("agent-b", ("sch-001", "sch-002", "sch-019")),
              ("agent-c", ("sch-032",)))
    agents = []
    for name, schools in places:
        ticket = hub.ticket(folder / f"{name}.ticket", *(scope_of(s) for s in schools), name=name,
                            address=way.address)
        agent = way.set_out(programs.add(Agent(folder / name)).enrol(ticket))
        agents.append(agent.meet(CITY, WANG, LI, CONTACT))
    began = time.monotonic()
    for agent in agents:
        status = agent.sync(120_000)
        account.line(f"{agent.folder.name}: {len(agent.listed())} 条记录 records, "
                     f"{status['device'].get('name') or agent.folder.name}, "
                     f"{wire(status['link'])}, {agent.base()}")
        taken = status["link"]["road"]
        if way.through:
            account.expect(taken == way.road, f"经 {way.through}，走 {taken}", f"through {way.through}, by {taken}")
    account.line(f"{time.monotonic() - began:.1f} s")
    return hub, agents


def before_the_cut(account, hub, agent_a, agents):
    account.head("联网时：王督学建一次协作督导，督导室发一份整改通知书",
                 "while connected: a joint visit is created, the office issues a notice")
    visit = agent_a.create("visit_record", JOINT_VISIT, WANG)["id"]
    problem = hub.create("problem", {
        "school_id": "sch-001", "source": "routine", "item_code": "R6", "title": "食堂库房堆放不规范",
        "detail": "食堂库房堆放不规范", "severity": "general", "state": "notice_issued"}, OFFICER)["id"]
    notice = hub.create("rectification_notice", {
        "school_id": "sch-001", "problem_ids": [problem], "issued_by": OFFICER,
        "issued_at": "2025-10-09T09:00:00+08:00", "due_rule": {"n": 15, "unit": "calendar"},
        "due_at": "2025-10-24T23:59:59+08:00", "state": "issued"}, OFFICER)["id"]
    settle(*agents)
    account.expect(all(a.record(visit)["born"] for a in agents[:2]), "两位督学的终端都有这次督导",
                   "both supervisors' devices have the visit")
    return visit, problem, notice


def offline_week(account, hub, agents, visit, notice, folder):
    agent_a, agent_b, agent_c = agents
    account.head("断网。各终端照常工作一周", "no network: every device goes on for a week")
    for agent in agents:
        agent.online(False)
    began = time.monotonic()
    for agent, school in zip(agents, WEEK_SCHOOLS):
        counts = [import_lines(agent, name, kind, school, folder)
                  for name, kind in (("visits.jsonl", "visit_record"), ("problems.jsonl", "problem"))]
        account.line(f"{agent.folder.name}: {school} 督导记录 visits {counts[0]}, 问题 problems {counts[1]}")
    account.line(f"{time.monotonic() - began:.1f} s")

    account.head("两位督学看了同一台留样柜、同一处库房", "two supervisors look at the same fridge, the same store-room")
    seen_a, seen_b = agent_a.record(visit)["seen"], agent_b.record(visit)["seen"]
    for agent, person, seen, answers in (
            (agent_a, WANG, seen_a, (("C6", "yes", "打开留样柜，八盒都有标签。"), ("C4", "yes", "生熟分开。"))),
            (agent_b, LI, seen_b, (("C6", "no", "炒粉没有留样，标签是昨天的。"), ("C4", "no", "米袋直接放在地上。")))):
        for item, value, remark in answers:
            agent.set(visit, person, f"item_answers/{item}", {"value": value, "remark": remark}, seen=seen)
        agent.set(visit, person, f"narrative/{person}", f"{remark}其余各项见表。", seen=seen)
    account.line(f"王样例 C6=yes C4=yes；李示例 C6=no C4=no（互不知情 neither knows of the other）")

    account.head("王督学离线附上一张照片", "Wang attaches a photo, offline")
    photo = folder / "留样柜.png"
    photo.write_bytes(png(2000, 1500))
    told = agent_a.run("attach", visit, str(photo), "--caption", "留样柜", "--as", WANG, "--password-file", "-",
                       text_input=PASSWORD)
    file = told["files"][0]
    account.line(f"{photo.name} {photo.stat().st_size} B → {file['mime']} {file['width']}×{file['height']}, {file['size']} B")

    account.head("学校离线反馈，督导室同时撤回通知书", "the school answers offline while the office withdraws the notice")
    response = agent_a.create("rectification_response", {
        "notice_id": notice, "round": 1, "text": "我校库房已整理，请核实是否为我校问题。", "files": [],
        "state": "draft"}, CONTACT)["id"]
    agent_a.edit(response, CONTACT, [{"do": "transition", "field": "state", "value": "sent"}])
    hub.edit(notice, OFFICER, [{"do": "transition", "field": "state", "value": "withdrawn"}],
             reason="发错学校，问题属隔壁校")
    for agent in agents:
        account.line(f"{agent.folder.name}: 待送达 unacknowledged {agent.get('/status')['unacknowledged']}")
    return response, file["sha256"]


def reconnect(account, hub, agents):
    account.head("网络恢复：各终端接入中心（WebSocket/TLS）", "the network is back: every device connects")
    for agent in agents:
        waiting = agent.get("/status")["unacknowledged"]
        began = time.monotonic()
        agent.online(True)
        status = agent.sync(60_000)
        spent = time.monotonic() - began
        link = status["link"]
        account.line(f"{agent.folder.name}: {waiting} 项已送达中心 delivered, {spent:.2f} s, {wire(link)}")
        account.expect(status["unacknowledged"] == 0, "全部送达", "everything acknowledged")
        account.expect(0 < link["bytes_written"] <= link["bytes_written_total"]
                       and 0 < link["bytes_read"] <= link["bytes_read_total"],
                       "字节数有据", "the bytes of the connection are counted")
    settle(*agents)


def look_at_photo(account, hub, visit, sha256):
    account.head("照片随后送达：督导室在中心打开它", "the photo follows: the office opens it at the hub")
    began = time.monotonic()
    status, content = 0, b""
    while status != 200 and time.monotonic() < began + 30:
        status, content = hub.read_file(sha256, visit, OFFICER)
        time.sleep(0.05)
    account.line(f"{len(content)} B, {time.monotonic() - began:.2f} s")
    account.expect(hashlib.sha256(content).hexdigest() == sha256, "与终端上的相同（SHA-256）", "the same bytes as at the agent (SHA-256)")


def show_conflicts(account, hub, visit):
    account.head("中心显示两处分歧：两个值、各自的作者", "the hub shows two conflicts: both values, both authors")
    conflicts = [c for c in hub.get("/conflicts")["conflicts"] if c["record"] == visit]
    for conflict in conflicts:
        account.line(f"{conflict['field']}:")
        for sibling in conflict["siblings"]:
            account.line(f"    {sibling['by']}: {say_value(sibling['value'])}")
    account.expect(sorted(c["field"] for c in conflicts) == ["item_answers/C4", "item_answers/C6"],
                   "正好这两处", "exactly these two")
    why = hub.get(f"/records/{visit}/why", path="item_answers/C6")
    account.line(f"why: {why['policy']} / {why['rule']}")
    for language in ("text_zh", "text_en"):
        for text in str(why.get(language, "")).splitlines():
            account.line(f"    {text}")


def resolve(account, hub, agents, visit):
    account.head("负责人在中心命令行裁定 C6", "the decision on C6, from the hub's command line")
    words = ["conflict", "resolve", visit, "item_answers/C6",
             '{"value":"no","remark":"两人复看：炒粉确未留样，其余七样齐全。"}', "--as", OFFICER, "--reason", "两人一起复看"]
    account.line("duhui-hub " + " ".join(words[:2]) + " … item_answers/C6")
    began = time.monotonic()
    hub.run(*words)
    for agent in agents[:2]:
        until = time.monotonic() + 10
        shown = None
        while time.monotonic() < until and not (shown and shown.get("value") == "no"):
            shown = agent.field(visit, "item_answers/C6")["shown"]
            time.sleep(0.01)
        account.expect(bool(shown) and shown.get("value") == "no" and "两人复看" in shown.get("remark", ""),
                       f"{agent.folder.name} {time.monotonic() - began:.2f} s 后显示裁定",
                       f"{agent.folder.name} shows the decision")
    history = hub.field(visit, "item_answers/C6")["history"]
    account.expect({h["by"] for h in history} >= {WANG, LI}, "两个原值都在历史里", "both earlier values are in the history")


def compare(account, hub, agents, notice, problem, response):
    account.head("四处状态一致", "all four hold the same state")
    settle(*agents)
    everything = {row["id"]: row for row in hub.listed()}
    for agent in agents:
        rows = agent.listed()
        different = 0
        checked = 0
        for row in rows:
            if row["type"] not in ("visit_record", "problem", "rectification_notice", "rectification_response"):
                continue
            checked += 1
            here, there = agent.record(row["id"]), hub.record(row["id"])
            different += any(here.get(k) != there.get(k) for k in ("value", "state", "conflicts", "flags", "amendments"))
        missing = [row["id"] for row in rows if row["id"] not in everything]
        account.line(f"{agent.folder.name}: {len(rows)} 条记录 records, 逐字段比较 compared field by field {checked}")
        account.expect(not different and not missing, "与中心相同", "equal to the hub")
    account.expect(hub.record(notice)["state"] == "withdrawn" and hub.record(problem)["state"] == "withdrawn",
                   "通知书与问题：已撤回", "the notice and its problem are withdrawn")
    answer = agents[0].record(response)
    account.expect(answer["state"] == "sent" and "no_action_needed" in answer["flags"],
                   "学校的反馈保留，并注明无需再处理", "the school's answer is kept and marked no action needed")
    report = hub.post("/verify", timeout=300)
    account.expect(report.get("ok", report.get("sound", False)) is not False, "中心自检通过（哈希链、校验和）",
                   "the hub's own verification passes")


def tell(account, folder, programs, way):
    """The account; the hub that it ended with."""
    hub, agents = begin(account, folder, programs, way)
    visit, problem, notice = before_the_cut(account, hub, agents[0], agents)
    response, photo = offline_week(account, hub, agents, visit, notice, folder)
    reconnect(account, hub, agents)
    look_at_photo(account, hub, visit, photo)
    show_conflicts(account, hub, visit)
    resolve(account, hub, agents, visit)
    compare(account, hub, agents, notice, problem, response)
    print("\n" + ("有差异 / DIFFERENT: " + "; ".join(account.wrong) if account.wrong
                  else "一切相符 / everything as it must be"))
    return hub


def wait_for_the_end(hub, programs):
    try:
        print("\n仍在运行，按 Ctrl-C 结束 / still running, Ctrl-C ends:")
        print(f"  终端接入地址 devices connect to: {hub.addresses['devices']}")
        for program in programs:
            print(f"  {program.folder.name}: {program.base()}   --data {program.folder}")
        print(f"  账号 accounts: {', '.join((CITY, OFFICER, WANG, LI, CONTACT))}   密码 password: {PASSWORD}")
        sys.stdout.flush()
        while True:
            signal.pause()
    except Interrupted:  # what we asked for
        return


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the account")
    parser.add_argument("--through", choices=("nginx", "tinyproxy", "squid"), default="",
                        help="what stands between the devices and the hub")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="duhui-demo-"))
    account = Account()
    programs = Programs()
    print(f"督汇演示 / Duhui demo   {folder}")
    try:
        programs.take_signals()
        hub = tell(account, folder, programs, Way(options.through))
        if not options.once:
            wait_for_the_end(hub, programs)
    except Interrupted as interrupted:
        print("\n中断 / interrupted", flush=True)
        return 128 + interrupted.number
    except (Refused, RuntimeError, OSError, KeyError) as error:
        account.wrong.append(str(error))
        print(f"\n✗ {error}")
        for log in folder.glob("*.log"):
            print(f"--- {log.name}\n" + log.read_text(errors="replace")[-1500:])
    finally:
        programs.stop()
        if not account.wrong:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
