"""Requests that no page of ours and no command sends, one table: what each is, its bytes, what must come back.

Each begins as a change (or a question) that would be answered, with valid credentials, and differs in the one thing it
is about: what refuses it is that thing.
"""

CRLF = "\r\n"
EVIL = "https://evil.example"


class Target:
    """One program as an attacker sees it."""

    def __init__(self, program, host, change, body, post_only, read, *, own, other, ended, foreign, body_as_other,
                 scheme="http"):
        self.program = program
        self.scheme = scheme
        self.host = host  # "127.0.0.1:7481"
        self.port = int(host.rsplit(":", 1)[1])
        self.change, self.body = change, body  # POST: changes something
        self.post_only = post_only  # an address that knows only POST
        self.read = read
        # Cookie and token: ours, of somebody else who is signed in, of a session that has ended, of the other program.
        self.own, self.other, self.ended, self.foreign = own, other, ended, foreign
        self.body_as_other = body_as_other

    def headers(self, names, body):
        own = [("Host", self.host), ("Origin", f"{self.scheme}://{self.host}"), ("Sec-Fetch-Site", "same-origin"),
               ("Cookie", f"duhui_session={self.own[0]}"), ("X-Duhui-Csrf", self.own[1])]
        if body is not None:
            own += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return [(name, value) for name, value in own if name not in names]


def send(target, method, path, body=None, *, without=(), more=(), **given):
    """The bytes of a request of our own page; `given` replaces headers ("sec_fetch_site"), `more` adds some."""
    given = {name.replace("_", "-").title(): value for name, value in given.items()}
    names = {*given, *without}
    fields = [*target.headers(names, body), *((n, v) for n, v in given.items() if v is not None), *more]
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    return CRLF.join(lines).encode("latin-1") + (body or b"")


def change(target, **more):
    return send(target, "POST", target.change, target.body, **more)


def read(target, **more):
    return send(target, "GET", target.read, **more)


def at(target, path, **more):
    return send(target, "POST", path, target.body, **more)


def changing(name, wanted, **more):
    return (name, lambda t: change(t, **{k: v(t) if callable(v) else v for k, v in more.items()}), wanted)


def asking(name, wanted, **more):
    return (name, lambda t: read(t, **{k: v(t) if callable(v) else v for k, v in more.items()}), wanted)


def hosts():
    """A page cannot choose the name in the address bar, but its owner can lead any name to this machine."""
    plain = {"Origin", "Sec-Fetch-Site"}  # a rebound page is of the same origin as what it asks
    for name in ("evil.example", "localhost.evil.example", "evil.localhost", "127.0.0.1.nip.io", "127.0.0.2",
                 "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]",
                 "[0:0:0:0:0:0:0:1]", "localhost.localdomain"):
        yield changing(f"host {name}", 421, host=lambda t, n=name: f"{n}:{t.port}", without=plain)
    yield changing("host of another port", 421, host="localhost:1", without=plain)
    yield changing("host of port 80", 421, host="127.0.0.1:80", without=plain)
    yield asking("a rebound page reads", 421, host="evil.example", without=plain)
    yield changing("a rebound page with its own origin", 421, host="evil.example", origin="http://evil.example")
    for name in ("", "localhost.", "user@localhost", "localhost@evil.example", "[::1%lo]", "%6cocalhost",
                 "localhost,evil.example", "http://localhost", "localhost:99999", "localhost:", "[::1", "localhost\\"):
        yield changing(f"host '{name}'", 400, host=name, without=plain)
    yield changing("no host", 400, without={"Host"})
    yield changing("host twice", 400, more=[("Host", "evil.example")])
    yield changing("host twice alike", 400, more=lambda t: [("Host", t.host)])
    yield changing("host, then a blank", 400, without={"Host"}, more=lambda t: [("Host ", t.host)])
    yield changing("a forwarded host", 421, host="evil.example", without=plain,
                   more=lambda t: [("X-Forwarded-Host", t.host), ("Forwarded", f"host={t.host}")])


def pages():
    for origin in (EVIL, "null", "http://localhost.evil.example", "http://127.0.0.1", "http://127.0.0.1:80",
                   "file://", "", "chrome-extension://abcdef"):
        yield changing(f"origin '{origin}'", 403, origin=origin)
    yield changing("origin of the other spelling", 403, origin=lambda t: f"{t.scheme}://localhost:{t.port}")
    yield changing("origin of the other scheme", 403, origin=lambda t: f"{'http' if t.scheme == 'https' else 'https'}://{t.host}")
    yield changing("origin that goes on", 403, origin=lambda t: f"{t.scheme}://{t.host}.evil.example")
    yield changing("origin twice", 400, more=[("Origin", EVIL)])
    yield changing("a page of another site, without origin", 403, sec_fetch_site="cross-site", without={"Origin"})
    yield changing("a page of another port of this machine", 403, sec_fetch_site="same-site")
    yield changing("where it began, twice", 400, more=[("Sec-Fetch-Site", "none")])
    yield asking("a picture or script on another site", 403, sec_fetch_site="cross-site", without={"Origin"},
                 more=[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "script")])
    yield asking("a link on another site", 403, sec_fetch_site="cross-site", without={"Origin"},
                 more=[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])
    yield asking("a script in a sandbox reads", 403, origin="null")
    yield asking("a page of another site reads", 403, origin=EVIL)
    preflight = [("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")]
    yield ("the question before a foreign request", lambda t: send(
        t, "OPTIONS", t.change, origin=EVIL, sec_fetch_site="cross-site", more=preflight), 403)
    yield ("the question before a request of another local page", lambda t: send(
        t, "OPTIONS", t.change, without={"Sec-Fetch-Site"},
        more=[*preflight, ("Access-Control-Request-Private-Network", "true")]), 405)


def forms():
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
                 "text/plain; application/json", "application/json, text/plain", "application/json; charset=utf-7",
                 "application/json; boundary=x", "application/jsonp", "text/json"):
        yield changing(f"a form of {kind}", 415, content_type=kind)
        yield changing(f"a form of {kind}, headers that a form cannot have", 415, content_type=kind,
                       without={"Origin", "Sec-Fetch-Site"})
    yield changing("no kind of body", 415, without={"Content-Type"})
    yield changing("two kinds of body", 415, more=[("Content-Type", "text/plain")])
    yield changing("a packed body", 415, content_encoding="gzip")
    form = b"type=visit_record&as=u-sup-001"
    yield ("a real form", lambda t: send(t, "POST", t.change, form, origin=EVIL, sec_fetch_site="cross-site",
                                         content_type="application/x-www-form-urlencoded"), 403)


def upgrades():
    key = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    yield asking("a WebSocket of another site", 403, origin=EVIL, more=key)
    yield asking("a WebSocket of a sandbox", 403, origin="null", more=key)
    yield asking("a WebSocket of a rebound page", 421, host="evil.example", without={"Origin"}, more=key)
    yield asking("a WebSocket of our own page", 400, more=key)
    yield ("a WebSocket where devices meet the hub", lambda t: send(
        t, "GET", "/sync/v1", more=[*key, ("Sec-WebSocket-Protocol", "duhui.sync.v1")]), 400)
    yield asking("HTTP/2 by upgrade", 400, more=[("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"),
                                                 ("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA")])
    yield ("HTTP/2 at once", lambda t: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
    yield ("TLS on the plain port", lambda t: b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", 400)


def methods():
    for method in ("TRACE", "PROPFIND", "post", "PURGE"):
        yield (f"method {method}", lambda t, m=method: send(t, m, t.change, t.body), 405)
    yield ("a tunnel", lambda t: send(t, "CONNECT", "evil.example:443"), 405)
    override = [("X-HTTP-Method-Override", "POST"), ("X-HTTP-Method", "POST"), ("X-Method-Override", "POST")]
    for method in ("GET", "HEAD"):
        yield (f"{method} that wants to be POST", lambda t, m=method: send(t, m, t.post_only, more=override), 405)
        yield (f"{method} with parameters of a change", lambda t, m=method: send(
            t, m, t.post_only + "?_method=POST&enabled=false&accept=true"), 405)
        yield (f"{method} with a body", lambda t, m=method: send(t, m, t.post_only, t.body), 400)
    yield ("HEAD of a change", lambda t: send(t, "HEAD", t.change, t.body), 400)


def paths():
    yield ("the address with a host", lambda t: at(t, f"http://{t.host}{t.change}"), 400)
    yield ("the address with a foreign host", lambda t: at(t, f"http://evil.example{t.change}"), 400)
    for name, old, new in (("dots", "/v1/", "/v1/../v1/"), ("encoded dots", "/v1/", "/v1/%2e%2e/v1/"),
                           ("half encoded dots", "/v1/", "/v1/%2E./v1/"), ("twice encoded dots", "/v1/", "/v1/%252e/"),
                           ("one dot", "/v1/", "/v1/./"), ("two slashes", "/v1/", "/v1//"),
                           ("two slashes in front", "/api", "//api"), ("a host in front", "/api", "//evil.example/api"),
                           ("a backslash", "/v1/", "/v1\\"), ("an encoded backslash", "/v1/", "/v1/%5c../"),
                           ("an encoded NUL", "/v1/", "/v1/%00"), ("an encoded end of line", "/v1/", "/v1/%0d%0aX:y"),
                           ("half an encoding", "/v1/", "/v1/%4"), ("no slash in front", "/api", "api"),
                           ("bytes that are no text", "/v1/", "/v1/\xff")):
        yield (f"a path with {name}", lambda t, o=old, n=new: at(t, t.change.replace(o, n, 1)), 400)
    yield ("a fragment", lambda t: at(t, t.change + "#x"), 400)
    yield ("a blank in the address", lambda t: at(t, t.change + " x"), 400)
    yield ("a star", lambda t: at(t, "*"), 400)
    yield ("another place", lambda t: at(t, "/etc/passwd"), 404)


def sizes():
    yield changing("a long field", 431, more=[("X-Long", "x" * 20_000)])
    yield changing("many fields", 431, more=[("X-Many", str(n)) for n in range(101)])
    yield changing("many cookies", 431, more=[("Cookie", "; ".join(f"c{n}=x" for n in range(5_000)))])
    yield ("a long address", lambda t: at(t, t.change + "?" + "x" * 5_000), 414)
    yield ("a head without end", lambda t: b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431)
    yield changing("a body of two megabytes", 413, content_length=str(2 << 20))
    yield changing("a body of a petabyte", 413, content_length="999999999999999")
    yield changing("a body beyond all numbers", 400, content_length="9" * 30)
    yield ("JSON a thousand levels deep", lambda t: send(t, "POST", t.change, b"[" * 1_000 + b"]" * 1_000), 413)
    yield ("JSON cut off", lambda t: send(t, "POST", t.change, t.body[:-1]), 400)


def smuggling():
    """Where two readers could see two different requests."""
    def hidden(target):
        return change(target)

    def chunks(target):
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(target.body), target.body)

    yield ("a length and chunks", lambda t: send(
        t, "POST", t.change, b"", content_length="4", transfer_encoding="chunked") + b"0\r\n\r\n" + hidden(t), 400)
    yield ("chunks and a length", lambda t: send(
        t, "POST", t.change, b"", transfer_encoding="chunked", content_length="4") + b"5c\r\n" + hidden(t), 400)
    yield ("chunks", lambda t: send(t, "POST", t.change, b"", without={"Content-Length"},
                                    transfer_encoding="chunked") + chunks(t), 411)
    for kind in ("xchunked", "identity", "gzip, chunked", "chunked, identity", "\"chunked\""):
        yield (f"transfer encoding {kind}", lambda t, k=kind: send(
            t, "POST", t.change, b"", without={"Content-Length"}, transfer_encoding=k) + chunks(t), 501)
    yield ("transfer encoding twice", lambda t: send(
        t, "POST", t.change, b"", without={"Content-Length"}, transfer_encoding="chunked",
        more=[("Transfer-Encoding", "x")]) + chunks(t), 400)
    yield changing("two lengths", 400, more=[("Content-Length", "1")])
    yield changing("the length twice", 400, more=lambda t: [("Content-Length", str(len(t.body)))])
    for text in ("{0}, {0}", "+{0}", "-{0}", "0x{0}", "{0} 1", "{0}.0", ""):
        yield changing(f"length '{text}'", 400, content_length=lambda t, x=text: x.format(len(t.body)))
    yield changing("a folded line", 400, more=[("X-Folded", "a\r\n b")])
    yield changing("a folded first line", 400, more=[(" X", "a")])
    yield changing("a line without carriage return", 400, more=[("X", "a\nX-More: b")])
    yield changing("a carriage return alone", 400, more=[("X", "a\rX-More: b")])
    yield changing("a NUL in a value", 400, more=[("X", "a\0b")])
    yield changing("a NUL in a name", 400, more=[("X\0", "a")])
    yield changing("a blank before the colon", 400, more=[("X ", "a")])
    yield changing("a line without colon", 400, more=[("X\r\nno colon here\r\nY", "a")])
    yield ("only line feeds", lambda t: change(t).replace(b"\r\n", b"\n"), 400)
    yield ("an empty line in front", lambda t: b"\r\n" + change(t), 400)
    yield ("two blanks", lambda t: change(t).replace(b"POST ", b"POST  ", 1), 400)
    yield ("no version", lambda t: b"GET " + t.read.encode() + b"\r\n\r\n", 400)
    yield ("version 0.9", lambda t: change(t).replace(b"HTTP/1.1", b"HTTP/0.9", 1), 505)
    yield ("version 2", lambda t: change(t).replace(b"HTTP/1.1", b"HTTP/2.0", 1), 505)
    yield ("a good request behind a refused one", lambda t: change(t, origin=EVIL) + hidden(t), 403)
    yield ("a good request in the body of a refused one", lambda t: send(
        t, "POST", t.change, hidden(t), content_type="text/plain"), 415)
    yield ("a good request behind a body that is longer than said", lambda t: send(
        t, "POST", t.change, t.body, content_length="5") + b"x" + hidden(t), (400, 400))


def sessions():
    """Somebody else's session, or something like one."""
    def cookie(text):
        return lambda t: "; ".join(text).format(own=t.own[0], other=t.other[0], ended=t.ended[0], foreign=t.foreign[0],
                                                short=t.own[0][:-1], long=t.own[0] + "A")

    nothing = {"Cookie", "X-Duhui-Csrf"}
    yield changing("a change by nobody", 401, without=nothing)
    yield asking("a question by nobody", 401, without=nothing)
    yield changing("the token without the cookie", 401, without={"Cookie"})
    for name, text in (("ended", ["duhui_session={ended}"]), ("of the other program", ["duhui_session={foreign}"]),
                       ("cut", ["duhui_session={short}"]), ("prolonged", ["duhui_session={long}"]),
                       ("guessed", ["duhui_session=" + "A" * 43]), ("empty", ["duhui_session="]),
                       ("twice", ["duhui_session={own}", "duhui_session={own}"]),
                       ("and another's", ["duhui_session={own}", "duhui_session={other}"]),
                       ("and a planted one in front", ["duhui_session=x", "duhui_session={own}"]),
                       ("in quotes", ['duhui_session="{own}"']), ("after a blank", ["duhui_session= {own}"]),
                       ("in capitals", ["DUHUI_SESSION={own}"]), ("of another name", ["xduhui_session={own}"]),
                       ("with a path", ["$Path=/", "duhui_session={own}/"]),
                       ("joined by a comma", ["duhui_session={own}, duhui_session={own}"])):
        yield changing(f"a session cookie {name}", 401, cookie=cookie(text))
        yield asking(f"a question with a session cookie {name}", 401, cookie=cookie(text))
    yield changing("two fields of cookies", 401, more=lambda t: [("Cookie", f"duhui_session={t.other[0]}")])
    yield changing("two fields of cookies alike", 401, more=lambda t: [("Cookie", f"duhui_session={t.own[0]}")])
    for name, more in (("a name", ("X-Remote-User", "admin")), ("a password", ("Authorization", "Basic YWRtaW46YWRtaW4=")),
                       ("a forwarded address", ("X-Forwarded-For", "127.0.0.1"))):
        yield changing(f"{name} in a field instead of a session", 401, without=nothing, more=[more])
    yield changing("the session in a field", 401, without=nothing,
                   more=lambda t: [("Authorization", f"Bearer {t.own[0]}"), ("X-Session", t.own[0])])
    yield ("the session in the address", lambda t: at(
        t, f"{t.change}?duhui_session={t.own[0]}&csrf={t.own[1]}", without=nothing), 401)
    yield changing("no token", 403, without={"X-Duhui-Csrf"})
    for name, token in (("empty", lambda t: ""), ("guessed", lambda t: "A" * 43), ("another's", lambda t: t.other[1]),
                        ("the session's", lambda t: t.own[0]), ("cut", lambda t: t.own[1][:-1]),
                        ("ended", lambda t: t.ended[1]), ("twice in one", lambda t: f"{t.own[1]}, {t.own[1]}")):
        yield changing(f"token {name}", 403, x_duhui_csrf=token)
    yield changing("two tokens", 403, more=lambda t: [("X-Duhui-CSRF", t.own[1])])
    yield ("the token in the address", lambda t: at(
        t, f"{t.change}?csrf={t.own[1]}&X-Duhui-CSRF={t.own[1]}", without={"X-Duhui-Csrf"}), 403)
    yield changing("the token in a cookie", 403, without={"X-Duhui-Csrf"},
                   cookie=lambda t: f"duhui_session={t.own[0]}; X-Duhui-CSRF={t.own[1]}; csrf={t.own[1]}")
    yield ("a change in somebody else's name", lambda t: send(t, "POST", t.change, t.body_as_other), 403)
    login = b'{"user": "u-sup-001", "password": "x"}'
    session = "/api/v1/session"
    yield ("a foreign page signs us in", lambda t: send(
        t, "POST", session, login, without=nothing, origin=EVIL, sec_fetch_site="cross-site"), 403)
    yield ("a form signs us in", lambda t: send(
        t, "POST", session, login, without=nothing, content_type="text/plain"), 415)
    for name, method, path in (("out", "DELETE", session), ("out for a while", "POST", session + "/lock")):
        yield (f"a foreign page signs us {name}", lambda t, m=method, p=path: send(t, m, p, b"{}", origin="null"), 403)
        yield (f"without token somebody signs us {name}", lambda t, m=method, p=path: send(
            t, m, p, b"{}", without={"X-Duhui-Csrf"}), 403)


TABLE = [case for group in (hosts, pages, forms, upgrades, methods, paths, sizes, smuggling, sessions)
         for case in group()]
