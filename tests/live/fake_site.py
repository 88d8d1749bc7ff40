"""A small stand-in for the site, in a thread: forms, pages and scripted event streams to try the client against."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl

CONVERSATION = "0d3c3f6e-8c0e-4b52-9f70-6a3b0a0c1d2e"
USER, REPLY = "7f3f1f6a-1111-4111-8111-111111111111", "7f3f1f6a-2222-4222-8222-222222222222"

LOGIN = """<!doctype html><title>Log in</title><form method="post" action="/accounts/login/">
<input type="hidden" name="csrfmiddlewaretoken" value="form-token">{alert}
<input name="login"><input name="password" type="password"><input type="checkbox" name="remember">
<button type="submit">Log in</button></form>"""

COMPOSER = """<form id="composer" method="post" action="/send/" hx-post="/send/" hx-target="#transcript"
 enctype="multipart/form-data"><input type="hidden" name="csrfmiddlewaretoken" value="form-token">
<input type="hidden" name="key" value="key-of-page"><textarea name="text" aria-label="Message">
</textarea><input type="file" name="images" multiple aria-label="Attach images">
<select name="model" aria-label="Model"><option value="aimlapi/google/gemini-2.5-flash" selected>Flash</option>
<option value="segmind/gemini-1.5-pro">Pro</option></select>
<button type="submit">Send</button>
<button type="submit" formaction="/stop/" name="reply" value="%s">Stop</button></form>"""

ARTICLES = f"""<div id="transcript" role="log">
<article data-message="{USER}" data-role="user" data-status="complete">
 <div data-body><p>Look &amp; tell</p>
  <a href="/attachments/a1/original"><img src="/attachments/a1/thumb" alt=""></a></div>
</article>
<article data-message="{REPLY}" data-role="assistant" data-status="failed" sse-connect="/replies/{REPLY}/events/">
 <details data-reasoning><summary>Thoughts</summary>Hm.</details>
 <div data-body><p>Half   an
 answer</p><pre><code>a  b
c</code></pre><button>Copy</button></div>
 <p data-notice="cut">Cut at the limit.</p>
 <p role="alert" data-error="rate-limited">Too many requests. <span>Try again in 20 s.</span></p>
 <form method="post" action="/retry/"><input type="hidden" name="csrfmiddlewaretoken" value="form-token">
 <button>Retry</button></form><footer>12 tokens</footer>
</article></div>"""


@dataclass(slots=True)
class Post:
    path: str
    headers: dict[str, str]
    fields: list[tuple[str, str]]
    files: list[tuple[str, str, bytes, str]]  # field, file name, content, media type


@dataclass(slots=True)
class Stream:
    """One connection to the events address: the chunks to send.

    A torn one breaks in the middle of a chunk, a held one stays open until the test is over.
    """

    chunks: list[bytes]
    status: int = 200
    torn: bool = False
    held: bool = False


@dataclass(slots=True)
class FakeSite:
    url: str = ""
    posts: list[Post] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    last_event_ids: list[str | None] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def site(self) -> FakeSite:
        return cast("Any", self.server).site  # type: ignore[no-any-return]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        if self.path == "/accounts/login/":
            self.answer(200, LOGIN.format(alert=""), ("Set-Cookie", "csrf=cookie-token; Path=/"))
        elif "session" not in cookies:
            self.answer(302, "", ("Location", "/accounts/login/"))
        elif self.path.startswith("/replies/"):
            self.stream(self.site.streams.pop(0))
        else:
            self.answer(200, "<title>Chat</title>" + (ARTICLES if "/c/" in self.path else "") + COMPOSER % REPLY)

    def do_POST(self) -> None:
        post = self.read()
        self.site.posts.append(post)
        fields = dict(post.fields)
        if "csrf=cookie-token" not in self.headers.get("Cookie", "") or fields["csrfmiddlewaretoken"] != "form-token":
            self.answer(403, "CSRF")
        elif self.path == "/accounts/login/":
            self.log_in(fields)
        elif self.path == "/send/" and not fields["text"] and len(post.files) == 1 and not post.files[0][2]:
            self.answer(422, '<p role="alert">Write something.</p>' + COMPOSER % REPLY)
        elif "HX-Request" in self.headers:
            self.answer(200, ARTICLES, ("HX-Push-Url", f"/c/{CONVERSATION}/"))
        else:
            self.answer(303, "", ("Location", f"/c/{CONVERSATION}/"))

    def log_in(self, fields: dict[str, str]) -> None:
        if (fields["login"], fields["password"]) == ("alice", "correct horse"):
            self.answer(302, "", ("Location", "/"), ("Set-Cookie", "session=s1; Path=/; HttpOnly"))
        else:
            self.answer(200, LOGIN.format(alert='<p role="alert">Wrong password.</p>'))

    def read(self) -> Post:
        kind, body = self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))
        post = Post(self.path, dict(self.headers), [], [])
        if kind == "application/x-www-form-urlencoded":
            post.fields = parse_qsl(body.decode(), keep_blank_values=True)
            return post
        for part in BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = cast("bytes", part.get_payload(decode=True))
            if part.get_filename() is None:
                post.fields.append((name, content.decode()))
            else:
                post.files.append((name, str(part.get_filename()), content, part.get_content_type()))
        return post

    def answer(self, status: int, html: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(html)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(html.encode())

    def stream(self, stream: Stream) -> None:
        self.site.last_event_ids.append(self.headers.get("Last-Event-ID"))
        if stream.status != 200:
            self.answer(stream.status, "busy")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in stream.chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if stream.held:
            self.site.over.wait()
        if stream.torn:
            self.wfile.write(b"40\r\nevent: more\ndata: never com")
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what some tests are about."""


@contextmanager
def running() -> Iterator[FakeSite]:
    site = FakeSite()
    server = QuietServer(("127.0.0.1", 0), Handler)
    cast("Any", server).site = site
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
