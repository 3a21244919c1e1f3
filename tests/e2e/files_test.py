"""Photos and documents with the real agent: handed in in pieces, cut off and resumed, attached, read back by who may."""

import hashlib
import http.client
import io
import json
import os
import random
import re
import socket
import struct
import subprocess
import time
import unittest
import zipfile
from urllib.parse import urlparse

from world import OFFICER, PASSWORD, WANG, World  # puts duhui on the path
from duhui import SocketConnection
from pictures import png

JSON = {"Content-Type": "application/json"}
PIECE = {"Content-Type": "application/offset+octet-stream"}
CONTACT = "u-con-001"
MIB = 1 << 20


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


def film(size):
    """An MP4 as far as its boxes go, long enough to be cut off."""
    def box(kind, content):
        return struct.pack(">I", 8 + len(content)) + kind + content
    head = box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", b"x" * 100)
    made = random.Random(5)
    scenes = b"".join(made.randbytes(MIB) for _ in range(size // MIB + 1))
    return head + box(b"mdat", scenes[:size - len(head) - 8])


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(agents=1)
        cls.world.hub.accounts(CONTACT)
        cls.agent = cls.world.agents[0]
        cls.agent.meet(WANG, OFFICER, CONTACT, reader=WANG)
        cls.agent.sync()

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    # --- requests that the shared helper does not make: bytes in, bytes out ---

    def headers(self, person, program=None):
        program = program or self.agent
        if person is None:
            return {}
        if person not in program.sessions:
            program.sign_in(person)
        return program.sessions[person].headers

    def raw(self, method, path, body=None, headers=None, person=WANG, log=True, program=None):
        """Status, headers, bytes."""
        program = program or self.agent
        where = urlparse(program.base())
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        try:
            connection.request(method, "/api/v1" + path, body, {**(headers or {}), **self.headers(person, program)})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        kind = told.get("content-type", "").split(";")[0]
        if log and method != "HEAD" and answer.status != 304:
            parsed = json.loads(content) if kind == "application/json" else "" if answer.status < 300 else content.decode()
            program.log_response(method, "/api/v1" + path, answer.status, kind, parsed)
        return answer.status, told, content

    def ask(self, method, path, body=None, headers=None, person=WANG):
        status, told, content = self.raw(method, path, body, headers, person)
        return status, told, json.loads(content)

    def begin(self, name, size, person=WANG, **more):
        status, told, body = self.ask("POST", "/files", json.dumps({"name": name, "size": size, **more}), JSON, person)
        self.assertIn(status, (200, 201), body)
        self.assertEqual(told["location"], f"/api/v1/files/uploads/{body['id']}")
        return f"/files/uploads/{body['id']}"

    def append(self, upload, piece, offset, person=WANG):
        return self.ask("PATCH", upload, piece, {**PIECE, "Upload-Offset": str(offset)}, person)

    def hand_in(self, name, content, person=WANG, **more):
        status, _, body = self.append(self.begin(name, len(content), person, **more), content, 0, person)
        return status, body

    def attach(self, visit, file, name="p1"):
        value = {"id": name, "by": WANG, "kind": "photo",
                 **{key: file[key] for key in ("file_name", "mime", "sha256", "size", "thumbnail", "original") if key in file}}
        self.agent.edit(visit, WANG, [{"do": "add", "field": "attachments", "value": value}])

    def outside(self):
        """What lies in the folders for files, but not under a hash."""
        named = re.compile(r"(blobs|locked)/([0-9a-f]{2})/\2[0-9a-f]{62}")
        paths = [path.relative_to(self.agent.folder).as_posix() for folder in ("blobs", "locked", "files")
                 for path in (self.agent.folder / folder).rglob("*") if path.is_file()]
        return sorted(path for path in paths if not named.fullmatch(path))

    # --- tests ---

    def test_a_photo_is_handed_in_attached_and_read_back(self):
        visit = self.world.new_visit(self.agent)
        status, body = self.hand_in("../食堂.PNG", png(2000, 1000))
        self.assertEqual(status, 200, body)
        file = body["file"]
        self.assertEqual((file["mime"], file["file_name"], file["width"], file["height"]),
                         ("image/jpeg", "食堂.jpg", 1600, 800))
        self.assertLessEqual(file["size"], 300 * 1024)
        self.attach(visit, file)
        shown = self.agent.record(visit)["value"]["attachments"][0]
        self.assertEqual((shown["sha256"], shown["thumbnail"]), (file["sha256"], file["thumbnail"]))

        address = f"/files/{file['sha256']}?record={visit}"
        status, told, content = self.raw("GET", address)
        self.assertEqual((status, told["content-type"]), (200, "image/jpeg"))
        self.assertEqual(hashlib.sha256(content).hexdigest(), file["sha256"])
        self.assertEqual(told["x-content-type-options"], "nosniff")
        self.assertEqual(told["content-security-policy"], "default-src 'none'; sandbox")
        self.assertEqual(told["cache-control"], "private, no-cache")
        self.assertIn("filename*=UTF-8''%E9%A3%9F%E5%A0%82.jpg", told["content-disposition"])
        tag = told["etag"]
        status, told, part = self.raw("GET", address, headers={"Range": "bytes=100-199"})
        self.assertEqual((status, part, told["content-range"]),
                         (206, content[100:200], f"bytes 100-199/{len(content)}"))
        status, _, part = self.raw("GET", address, headers={"Range": "bytes=-10", "If-Range": tag})
        self.assertEqual((status, part), (206, content[-10:]))
        status, _, part = self.raw("GET", address, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
        self.assertEqual((status, part), (200, content))
        status, told, _ = self.raw("GET", address, headers={"Range": f"bytes={len(content)}-"})
        self.assertEqual((status, told["content-range"]), (416, f"bytes */{len(content)}"))
        self.assertEqual(self.raw("GET", address, headers={"If-None-Match": tag})[0], 304)
        status, told, nothing = self.raw("HEAD", address)
        self.assertEqual((status, told["content-length"], nothing), (200, str(len(content)), b""))
        status, told, small = self.raw("GET", address + "&thumbnail=1")
        self.assertEqual((status, told["content-type"], small[:3]), (200, "image/jpeg", b"\xff\xd8\xff"))
        self.assertLessEqual(len(small), 8192)
        status, told, original = self.raw("GET", f"/files/{file['original']['sha256']}?record={visit}")
        self.assertEqual((status, told["content-type"], original), (200, "image/png", png(2000, 1000)))

    def test_a_photo_arrives_at_the_hub_and_is_read_there(self):
        visit = self.world.new_visit(self.agent)
        _, body = self.hand_in("操场.png", png(1200, 900))
        file = body["file"]
        self.attach(visit, file)
        address = f"/files/{file['sha256']}?record={visit}"
        until = time.monotonic() + 60
        while True:
            status, told, content = self.raw("GET", address, person=OFFICER, program=self.world.hub, log=False)
            if status == 200:
                break
            self.assertIn(status, (404, 503))  # the record first, then its file
            self.assertLess(time.monotonic(), until)
            self.agent.sync()
        self.assertEqual(hashlib.sha256(content).hexdigest(), file["sha256"])
        self.assertEqual((told["content-type"], told["x-content-type-options"]), ("image/jpeg", "nosniff"))
        status, told, part = self.raw("GET", address, headers={"Range": "bytes=5-14"}, person=OFFICER, program=self.world.hub)
        self.assertEqual((status, part), (206, content[5:15]))
        status, _, small = self.raw("GET", address + "&thumbnail=1", person=OFFICER, program=self.world.hub)
        self.assertEqual((status, small[:3]), (200, b"\xff\xd8\xff"))
        self.assertEqual(self.raw("GET", address, person=CONTACT, program=self.world.hub)[0], 404)
        self.assertEqual(self.raw("GET", address, person=None, program=self.world.hub)[0], 401)

    def test_on_a_schools_pc_nothing_of_a_draft_lies_open(self):
        visit = self.world.new_visit(self.agent)
        words = "这句话学校现在还不能看到".encode()
        _, body = self.hand_in("谈话记录.txt", words + b"\n")
        everything = b"".join(path.read_bytes() for path in self.agent.folder.rglob("*") if path.is_file())
        self.assertNotIn(words, everything, "before it is attached")
        self.attach(visit, body["file"])
        everything = b"".join(path.read_bytes() for path in self.agent.folder.rglob("*") if path.is_file())
        self.assertNotIn(words, everything)
        self.assertNotIn("谈话记录".encode(), everything)
        self.assertEqual(self.raw("GET", f"/files/{body['file']['sha256']}?record={visit}")[2], words + b"\n")

    def test_only_who_sees_the_record_gets_the_file(self):
        visit, other = self.world.new_visit(self.agent), self.world.new_visit(self.agent)
        content = b"%PDF-1.4\n" + os.urandom(500) + b"\n%%EOF\n"
        _, body = self.hand_in("plan.pdf", content)
        self.attach(visit, body["file"])
        address = f"/files/{body['file']['sha256']}?record={visit}"
        for person in (WANG, OFFICER):
            status, told, got = self.raw("GET", address, person=person)
            self.assertEqual((status, got), (200, content))
            self.assertTrue(told["content-disposition"].startswith("attachment;"))
        # A draft is not the school's yet: it learns no more than that there is nothing.
        no = [self.raw("GET", target, person=CONTACT)
              for target in (address, f"/files/{'0' * 64}?record={visit}", f"/files/{body['file']['sha256']}?record=x")]
        self.assertEqual({status for status, _, _ in no}, {404})
        self.assertEqual(self.raw("GET", address + "&thumbnail=1", person=CONTACT)[0], 404)
        self.assertEqual(self.raw("HEAD", address, person=CONTACT)[0], 404)
        self.assertEqual(self.raw("GET", address, person=None)[0], 401)
        self.assertEqual(self.raw("GET", f"/files/{body['file']['sha256']}?record={other}")[0], 404)
        self.assertEqual(self.raw("GET", f"/files/{body['file']['sha256']}")[0], 404)
        # Taken out of the record, it is gone for everybody.
        self.agent.edit(visit, WANG, [{"do": "remove", "field": "attachments", "value": "p1"}])
        self.assertEqual(self.raw("GET", address)[0], 404)

    def test_an_upload_that_is_cut_off_goes_on_where_it_was(self):
        content = film(12 * MIB)
        upload = self.begin("会议.mp4", len(content), sha256=hashlib.sha256(content).hexdigest())
        sent, connections = 0, 0
        while sent < len(content):
            where = urlparse(self.agent.base())
            # Each connection dies somewhere inside the third mebibyte it carries.
            with socket.create_connection((where.hostname, where.port), timeout=60) as stream:
                head = "".join(f"{name}: {value}\r\n" for name, value in
                               {**PIECE, **self.headers(WANG), "Upload-Offset": sent, "Host": f"localhost:{where.port}",
                                "Content-Length": len(content) - sent}.items())
                stream.sendall(f"PATCH /api/v1{upload} HTTP/1.1\r\n{head}\r\n".encode())
                stream.sendall(content[sent:sent + 2 * MIB + 500_001])
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(65536):
                    pass
            connections += 1
            status, told, _ = self.raw("HEAD", upload)
            self.assertEqual(status, 200)
            now = int(told["upload-offset"])
            # Whatever was sent before the cut counts.
            self.assertEqual(now, min(sent + 2 * MIB + 500_001, len(content)))
            sent = now
            if connections == 2:
                self.agent.kill()
                self.agent.start()
                self.agent.sign_in(WANG)
        status, _, body = self.append(upload, b"", sent)
        self.assertEqual((status, body["file"]["mime"], body["file"]["sha256"]),
                         (200, "video/mp4", hashlib.sha256(content).hexdigest()))
        self.assertGreater(connections, 3)

    def test_a_long_upload_takes_little_memory(self):
        content = film(300 * MIB)
        upload = self.begin("long.mp4", len(content))
        status, _, body = self.append(upload, content, 0)
        self.assertEqual(status, 200, body)
        with open(f"/proc/{self.agent.process.pid}/status", encoding="ascii") as lines:
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        self.assertLess(peak, 200 * 1024, "KiB at its worst")
        visit = self.world.new_visit(self.agent)
        self.attach(visit, body["file"])
        status, told, got = self.raw("GET", f"/files/{body['file']['sha256']}?record={visit}",
                                     headers={"Range": f"bytes={len(content) - MIB}-"})
        self.assertEqual((status, got), (206, content[-MIB:]))

    def test_an_upload_is_its_beginners_alone(self):
        upload = self.begin("a.txt", 5)
        self.assertEqual(self.append(upload, b"hello", 0, OFFICER)[0], 404)
        self.assertEqual(self.append(upload, b"hello", 0, None)[0], 401)
        self.assertEqual(self.ask("DELETE", upload, "{}", JSON, OFFICER)[0], 404)
        status, told, body = self.append(upload, b"hello", 2)
        self.assertEqual((status, told["upload-offset"]), (409, "0"))
        self.assertEqual(self.append(upload, b"hello there", 0)[0], 413)
        self.assertEqual(self.ask("DELETE", upload, "{}", JSON)[0], 200)
        self.assertEqual(self.append(upload, b"hello", 0)[0], 404)

    def test_hostile_files_are_refused_with_a_reason_and_leave_nothing(self):
        before = self.outside()
        page = b"<html><script>alert(1)</script></html>"
        cases = {
            "page.jpg": (page, "file_active"), "run.jpg": (b"MZ\x90\0" + os.urandom(200), "file_active"),
            "elf": (b"\x7fELF" + os.urandom(200), "file_active"), "sh.txt": (b"#!/bin/sh\nid\n", "file_active"),
            "svg.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file_active"),
            "zip.zip": (archive("../../../evil.txt"), "file_archive"),
            "abs.zip": (archive("/etc/cron.d/evil"), "file_archive"),
            "poly.zip": (archive("a.txt") + page, "file_broken"),
            "cut.png": (png(300, 300)[:-400], "image_broken"),
            "wide.png": (png(10, 10, (30000, 30000)), "image_broken"),
            "bomb.png": (png(10, 10, (10000, 10000)), "image_broken"),
            "noise": (os.urandom(5000), "file_type"),
        }
        for name, (content, rule) in cases.items():
            with self.subTest(name=name):
                status, body = self.hand_in("../../../../tmp/" + name, content)
                self.assertEqual(status, 409, body)
                self.assertEqual(body["error"]["detail"].split(":")[0], rule)
                self.assertNotEqual(body["error"]["message_zh"], "按规则不允许。")
        self.assertEqual(self.outside(), before)
        # Names lead nowhere.
        for name in ("../../../../../../tmp/evil.txt", "..\\..\\evil.txt", "/etc/passwd", "a\0b.txt", "CON", "\u202etxt.exe",
                     "x" * 1000):
            status, body = self.hand_in(name, b"nothing but text\n")
            self.assertEqual(status, 200, body)
            self.assertNotRegex(body["file"]["file_name"], r"[/\\\x00-\x1f\u202e]")
            self.assertLessEqual(len(body["file"]["file_name"].encode()), 190)
        self.assertEqual(self.outside(), before)
        for target in ("/files/..%2f..%2fidentity.key", "/files/uploads/..%2f..%2fidentity.key", "/files/%2e%2e/identity.key"):
            self.assertIn(self.raw("GET", target, log=False)[0], (400, 404))
        self.assertEqual(self.ask("PATCH", self.begin("a", 5), b"hello", {"Content-Type": "text/plain"})[0], 415)

    def attach_command(self, *words):
        return subprocess.run(
            [self.agent.program, "--data", str(self.agent.folder), "--json", "attach", *words, "--as", WANG,
             "--password-file", "-"],
            input=PASSWORD + "\n", capture_output=True, text=True, env=self.agent.environment, timeout=120)

    def test_the_command_attaches_with_and_without_a_service(self):
        photo = self.world.folder / "操场 1.png"
        photo.write_bytes(png(400, 300))
        text = self.world.folder / "记录.txt"
        text.write_text("课堂秩序良好。\n", encoding="utf-8")
        for running in (True, False):
            visit = self.world.new_visit(self.agent)
            if not running:
                self.agent.stop()
            try:
                done = self.attach_command(visit, str(photo), str(text), "--caption", "操场")
            finally:
                if not running:
                    self.agent.start()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([file["mime"] for file in json.loads(done.stdout)["files"]],
                             ["image/jpeg", "text/plain; charset=utf-8"])
            shown = self.agent.record(visit)["value"]["attachments"]
            self.assertEqual([one["file_name"] for one in shown], ["操场 1.jpg", "记录.txt"])
            self.assertEqual({one["caption"] for one in shown}, {"操场"})
            self.assertEqual([one["kind"] for one in shown], ["photo", "document"])
            status, told, got = self.raw("GET", f"/files/{shown[1]['sha256']}?record={visit}")
            self.assertEqual((status, got), (200, text.read_bytes()))
            self.assertEqual(told["content-type"], "text/plain; charset=utf-8")
        done = self.attach_command(visit, str(self.world.folder / "none.jpg"))
        self.assertNotEqual(done.returncode, 0)
        evil = self.world.folder / "evil.jpg"
        evil.write_bytes(b"<html>")
        done = self.attach_command(visit, str(evil))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("file_active", done.stdout + done.stderr)

    def test_the_operator_of_the_machine_reads_no_files(self):
        connection = SocketConnection(str(self.agent.folder / "control.sock"), 60)
        connection.request("POST", "/api/v1/files", json.dumps({"name": "a", "size": 1}), JSON)
        self.assertEqual(connection.getresponse().status, 403)
        connection.close()


if __name__ == "__main__":
    unittest.main()
