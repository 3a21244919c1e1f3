"""Neither program needs root, a home it can write to, or more than its own data folder.

Each runs as an unprivileged user that can never gain privileges, in a mount namespace where everything but its data folder
is read-only, with a home that does not exist, from a folder it cannot write to: the restrictions of a hardened service
(ProtectSystem=strict, ProtectHome, NoNewPrivileges, an empty CapabilityBoundingSet). Where the kernel forbids such
namespaces, the tests say so and are skipped.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from world import BUILD, DATA, Agent, Hub, scope_of

NOBODY = 65534
# Everything read-only, then the one folder writable again, then no privileges.
CONFINE = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
for place in $(awk '$5 != "/" {print $5}' /proc/self/mountinfo | sort -u); do
  case "$place" in "$1") ;; /proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done
mount --bind / /  && mount -o remount,bind,ro /
mount -o remount,bind,rw "$1"
cd /
data=$1; shift
exec setpriv --reuid=%(user)d --regid=%(user)d --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
""" % {"user": NOBODY}


def why_not():
    """Words, if such namespaces cannot be made here."""
    if os.geteuid() != 0:
        return "needs root to become somebody else"
    for tool in ("unshare", "setpriv", "mount"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    try:
        done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, timeout=30)
    except OSError as error:
        return f"unshare: {error}"
    return f"mount namespaces are forbidden: {done.stderr.strip()}" if done.returncode else None


def confined(program_class):
    class Confined(program_class):
        """The program through a wrapper that confines it to its data folder."""

        def __init__(self, folder, wrapper):
            super().__init__(folder, {"HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent/state",
                                      "TMPDIR": "/nonexistent/tmp"})
            self.program = str(wrapper)

    return Confined


ConfinedHub = confined(Hub)
ConfinedAgent = confined(Agent)


@unittest.skipIf(why_not(), why_not() or "")
class ConfinedPrograms(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="duhui-confined-"))
        self.folder.chmod(0o755)
        self.programs = []
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for program in self.programs:
            program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wrapper(self, name, program, data):
        """A program of its own, so that the tests start it like the real one. The binary is copied to where a user
        without rights can read it."""
        binary = self.folder / program.name
        if not binary.exists():
            shutil.copy(program, binary)
            binary.chmod(0o755)
        script = self.folder / f"{name}.sh"
        inner = self.folder / "confine.sh"
        inner.write_text(CONFINE)
        script.write_text(f'#!/bin/sh\nexec unshare --mount sh {inner} {data} {binary} "$@"\n')
        script.chmod(0o755)
        return script

    def data_folder(self, name):
        data = self.folder / name
        data.mkdir(mode=0o700)
        os.chown(data, NOBODY, NOBODY)
        return data

    def make(self, kind, name, program):
        data = self.data_folder(name)
        made = kind(data, self.wrapper(name, program, data))
        self.programs.append(made)
        return made

    def what_it_may(self, process):
        """Of the process itself, past the wrapper: exec keeps the number."""
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def test_both_do_all_their_work(self):
        hub = self.make(ConfinedHub, "hub", BUILD / "hub" / "app" / "duhui-hub")
        hub.run("init")
        hub.start()
        few = self.folder / "registries"
        few.mkdir()
        for name in ("orgs.json", "schools.csv"):
            shutil.copy(DATA / name, few)
        hub.run("import", "--from", str(few))
        ticket = hub.run("ticket", "create", "--school", "sch-001")
        agent = self.make(ConfinedAgent, "agent", BUILD / "agent" / "app" / "duhui-agent")
        agent.run("init", "--ticket-file", "-", text_input=ticket["file"])
        agent.start()
        agent.run("sync", "--wait-ms", "30000")
        self.assertEqual([device["head"] >= 0 for device in hub.run("device", "list")["devices"]], [True])
        self.assertTrue(hub.run("verify")["ok"])
        hub.run("audit", "export", str(hub.folder / "audit.jsonl"))
        self.assertTrue(hub.run("audit", "verify", str(hub.folder / "audit.jsonl"))["ok"])
        for program in (hub, agent):
            may = self.what_it_may(program.process)
            self.assertEqual(may["NoNewPrivs"].strip(), "1")
            self.assertEqual(may["Uid"].split(), [str(NOBODY)] * 4)
            for capabilities in ("CapEff", "CapPrm", "CapBnd", "CapInh"):
                self.assertEqual(int(may[capabilities], 16), 0, capabilities)
            for path in program.folder.rglob("*"):
                self.assertEqual(path.lstat().st_uid, NOBODY, path)
                self.assertEqual(stat.S_IMODE(path.lstat().st_mode) & 0o077, 0, path)
            self.assertLess(program.stop(), 10)
        self.assertTrue(agent.run("fsck")["sound"])

    def test_the_cage_holds(self):
        """Otherwise the test above would show nothing: a program that writes beside its folder fails."""
        data = self.data_folder("cage")
        probe = self.folder / "probe"
        probe.write_text(f"#!/bin/sh\ntouch {data}/inside && ! touch {self.folder}/outside 2>/dev/null"
                         " && ! touch /tmp/duhui-outside 2>/dev/null && ! mkdir -p \"$HOME/x\" 2>/dev/null\n")
        probe.chmod(0o755)
        done = subprocess.run([str(self.wrapper("cage", probe, data))], capture_output=True, text=True,
                              env=dict(os.environ, HOME="/nonexistent"), timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((data / "inside").exists())
        self.assertFalse((self.folder / "outside").exists())

    def test_a_folder_that_is_not_writable_is_refused_in_words(self):
        for program, kind in ((BUILD / "hub" / "app" / "duhui-hub", ConfinedHub),
                              (BUILD / "agent" / "app" / "duhui-agent", ConfinedAgent)):
            data = self.data_folder(f"shut-{program.name}")
            os.chown(data, 0, 0)
            made = kind(data, self.wrapper(f"shut-{program.name}", program, data))
            words = ("init",) if kind is ConfinedHub else ("init", "--ticket-file", "/nonexistent")
            done = subprocess.run([made.program, "--data", str(data), "--json", *words], capture_output=True,
                                  text=True, env=made.environment, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("error", json.loads(done.stdout), done.stderr)


if __name__ == "__main__":
    if why_not():
        print(f"skipped: {why_not()}")
        sys.exit(77)
    unittest.main()
