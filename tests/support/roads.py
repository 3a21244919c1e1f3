"""What may stand between a school and its hub: real proxies from Debian's packages, and small ones that do what bad
ones do. For the demo and the end-to-end tests."""

import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

from duhui import free_port


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Daemon:
    """A program that serves one port until it is ended."""

    def start(self, words):
        self.log = self.folder / "said.log"
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)
        until = time.monotonic() + 20
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{words[0]} does not serve:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)
        return self

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    stop = close

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Nginx(Daemon):
    """Ends TLS with the hub's own key, as an operator would set it up; passes WebSocket on only if it is told to, as
    nginx does."""

    def __init__(self, folder, hub, upgrade=False, more=""):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        self.requests = self.folder / "access.log"
        through = """
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";""" if upgrade else ""
        paths = "".join(f"{name}_temp_path {self.folder}/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""{user}daemon off;
            pid {self.folder}/pid;
            error_log {self.folder}/error.log;
            worker_processes 1;
            events {{ worker_connections 256; }}
            http {{
              {paths}
              log_format short '$request_method $uri $status';
              access_log {self.requests} short;
              server {{
                listen 127.0.0.1:{self.port} ssl;
                ssl_certificate {hub.folder}/tls.crt;
                ssl_certificate_key {hub.folder}/tls.key;
                ssl_protocols TLSv1.3;
                client_max_body_size 2m;
                location /sync/ {{
                  proxy_pass https://127.0.0.1:{hub.port};
                  proxy_ssl_protocols TLSv1.3;
                  {through}
                  {more}
                }}
              }}
            }}
            """, encoding="utf-8")
        self.words = ["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(configuration)]
        self.start(self.words)

    def asked(self):
        """What was asked of it: "POST /sync/v1 200"."""
        return self.requests.read_text().splitlines() if self.requests.exists() else []


class Tinyproxy(Daemon):
    def __init__(self, folder, user="", password=""):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        configuration = self.folder / "tinyproxy.conf"
        allowed = f"BasicAuth {user} {password}\n" if user else ""
        configuration.write_text(f"Port {self.port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nLogLevel Connect\n"
                                 f"{allowed}")
        self.start([shutil.which("tinyproxy") or "/usr/bin/tinyproxy", "-d", "-c", str(configuration)])


class Squid(Daemon):
    def __init__(self, folder, more="http_access allow all\n"):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.folder.parent.chmod(0o711)  # it works as another user
        self.port = free_port()
        configuration = self.folder / "squid.conf"
        configuration.write_text(
            f"http_port 127.0.0.1:{self.port}\n{more}cache deny all\ncache_mem 8 MB\npid_filename none\n"
            f"access_log none\ncache_log {self.folder}/cache.log\ncoredump_dir {self.folder}\nvisible_hostname squid\n"
            "shutdown_lifetime 1 seconds\nworkers 1\nmax_filedescriptors 1024\nnetdb_filename none\n"
            "logfile_rotate 0\n")
        self.start(["/usr/sbin/squid", "-N", "-f", str(configuration)])


class Server:
    """Accepts on a port of its own; each connection is `serve()` on a thread."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.try_to_serve, args=(raw,), daemon=True).start()

    def try_to_serve(self, raw):
        try:
            self.serve(raw)
        except (OSError, ssl.SSLError):
            pass
        finally:
            raw.close()

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_head(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = stream.recv(65536)
        if not piece:
            break
        head += piece
    return head


def pump(source, target, passed=None):
    try:
        while piece := source.recv(65536):
            if passed is not None:
                passed.append(len(piece))
            target.sendall(piece)
    except (OSError, ssl.SSLError, ValueError):
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def both_ways(front, back, passed=None):
    threading.Thread(target=pump, args=(back, front), daemon=True).start()
    pump(front, back, passed)


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def connect_to(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))


HTML = b"<html><body>blocked</body></html>"


class Meddler(Server):
    """Ends TLS with the hub's key, passes POST on, and does one thing or another to a WebSocket:
    strip: takes the Upgrade out; html: answers 200 with a page; reset: passes the upgrade on and resets;
    swallow: passes the upgrade and its answer on, and then nothing more; die: lets it work for a moment.
    """

    def __init__(self, hub, what, certificate=None, key=None):
        self.hub_port, self.what = hub.port, what
        self.context = server_context(certificate or hub.folder / "tls.crt", key or hub.folder / "tls.key")
        self.upgrades = 0
        self.posts = 0
        self.heads = []
        super().__init__()

    def serve(self, raw):
        front = self.context.wrap_socket(raw, server_side=True)
        head = read_head(front)
        self.heads.append(head.split(b"\r\n")[0])
        if b"upgrade: websocket" not in head.lower():
            self.posts += 1
            back = connect_to(self.hub_port)
            back.sendall(head)
            return both_ways(front, back)
        self.upgrades += 1
        if self.what == "html":
            front.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML)
            return front.close()
        back = connect_to(self.hub_port)
        if self.what == "strip":
            kept = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"upgrade:", b"connection:"))]
            back.sendall(b"\r\n".join(kept))
            return both_ways(front, back)
        back.sendall(head)
        front.sendall(read_head(back))
        if self.what == "reset":
            front.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return front.close()
        if self.what == "die":
            threading.Timer(0.5, lambda: back.shutdown(socket.SHUT_RDWR)).start()
            return both_ways(front, back)
        while front.recv(65536):
            pass


class Page(Server):
    """Answers everything in plain HTTP by sending people to a page, as networks do that want a sign-in."""

    def __init__(self):
        self.heard = []
        super().__init__()

    def serve(self, raw):
        self.heard.append(raw.recv(65536))  # TLS or not
        raw.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n"
                    b"Connection: close\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass


class SecurePage(Server):
    """The same inside TLS, with a certificate of its own."""

    def __init__(self, certificate, key, page=True):
        self.context, self.page = server_context(certificate, key), page
        self.heard = []
        super().__init__()

    def serve(self, raw):
        front = self.context.wrap_socket(raw, server_side=True)
        head = read_head(front)
        self.heard.append(head)
        if not head:
            return
        body = HTML if self.page else b"{}"
        kind = b"text/html" if self.page else b"application/json"
        front.sendall(b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                      % (200 if self.page else 404, kind, len(body)) + body)
        front.close()


class NamingProxy(Server):
    """CONNECT for one name only it knows."""

    def __init__(self, name, port):
        self.name, self.hub_port = name, port
        self.asked = []
        super().__init__()

    def serve(self, raw):
        head = read_head(raw).split(b"\r\n")[0].decode()
        self.asked.append(head)
        if not head.startswith(f"CONNECT {self.name}:"):
            raw.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        back = socket.create_connection(("127.0.0.1", self.hub_port))
        raw.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        both_ways(raw, back)


def foreign_certificate(folder):
    """Of an authority nobody here knows, as a firewall that opens encrypted connections has it."""
    def run(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    authority_key, authority = folder / "authority.key", folder / "authority.crt"
    key, request, certificate = folder / "foreign.key", folder / "foreign.csr", folder / "foreign.crt"
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run("req", "-x509", *new_key, "-keyout", str(authority_key), "-out", str(authority), "-days", "365",
        "-subj", "/CN=Firewall Authority")
    run("req", *new_key, "-keyout", str(key), "-out", str(request), "-subj", "/CN=hub.example")
    run("x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(authority_key), "-CAcreateserial",
        "-out", str(certificate), "-days", "30")
    return certificate, key
