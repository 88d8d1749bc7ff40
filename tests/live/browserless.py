"""A person without a browser: logs in, reads pages, sends forms and follows replies as a browser would.

Everything goes over HTTP by the names of the interface; nothing of the application is imported.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

import requests
import urllib3

from tests.live import pages
from tests.live.eventstream import EventStream, ServerEvent
from tests.live.forms import Form, Submission, Upload
from tests.live.hypertext import Element
from tests.live.pages import Article, Page
from tests.live.transcript import Ending, Transcript

DEFAULT_RETRY = 3.0  # seconds until a browser reconnects when the stream names no time
LEADING_HEADERS = ("HX-Push-Url", "HX-Replace-Url", "HX-Redirect", "HX-Location")


Leave: TypeAlias = Callable[[ServerEvent, Transcript], bool]
"""Whether to go away after this event, given what is shown by then."""


def never(_event: ServerEvent, _shown: Transcript) -> bool:
    return False


def after_events(count: int) -> Leave:
    """Leave after `count` events of this call."""
    arrivals = itertools.count(1)
    return lambda _event, _shown: next(arrivals) >= count


def after_characters(count: int) -> Leave:
    """Leave once `count` characters are shown."""
    return lambda _event, shown: len(shown.text) >= count


class Refused(AssertionError):
    """The site did not do what the person asked for."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was sent: `response` answers the POST itself, `page` is what the person sees in the end."""

    response: requests.Response
    page: Page

    @property
    def status_code(self) -> int:
        return self.response.status_code

    @property
    def conversation_uuid(self) -> str:
        """Raises Refused where the site led to no conversation."""
        for address in (self.page.url, *(self.response.headers.get(name, "") for name in LEADING_HEADERS)):
            if uuid := pages.conversation_in(address):
                return uuid
        raise Refused(f"no conversation: {self._summary()}")

    @property
    def reply(self) -> Article:
        """The last reply on the page. Raises Refused where there is none."""
        if self.response.status_code >= 400 or not self.page.replies:
            raise Refused(f"no reply: {self._summary()}")
        return self.page.replies[-1]

    @property
    def reply_uuid(self) -> str:
        return self.reply.uuid

    def _summary(self) -> str:
        return f"{self.response.status_code} from {self.response.url}: {self.page.text[:500]}"


class Person:
    """One browser profile: its cookies are its own. `timeout` is in seconds, for connecting and for silence.

    Following may happen in many threads at once; pages and forms belong to one thread at a time.
    """

    def __init__(self, base_url: str, *, timeout: float = 90.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept"] = "text/html,application/xhtml+xml"

    # --- Pages and forms ----------------------------------------------------------------------------------------------
    def get(self, path: str) -> Page:
        """A page by its path or absolute address, redirects followed."""
        response = self.session.get(self._absolute(path), timeout=self.timeout)
        return Page(response.url, response.status_code, response.text)

    def page(self, conversation: str | None = None) -> Page:
        """The page of a conversation, or of a new one."""
        return self.get(f"/c/{conversation}/" if conversation else "/")

    def log_in(self, username: str, password: str) -> Page:
        """Raises Refused where the login page does not let the person in."""
        page = self.get("/accounts/login/")
        sent = self.submit(page.form_with("login"), {"login": username, "password": password})
        if sent.status_code != 302:
            raise Refused(f"not logged in: {sent.status_code} {' '.join(sent.page.alerts) or sent.page.text[:300]}")
        return sent.page

    def submit(
        self,
        form: Form,
        values: Mapping[str, str] | None = None,
        files: Mapping[str, list[Upload]] | None = None,
        *,
        button: Element | None = None,
        htmx: bool = False,
        ticked: Sequence[tuple[str, str]] = (),
    ) -> Sent:
        """Send a form. Without htmx a redirect is followed as a browser does; with it the answer is a fragment."""
        submission = form.submission(values, files, button=button, htmx=htmx, ticked=ticked)
        response = self._post(submission, form, htmx=htmx)
        if response.is_redirect:
            return Sent(response, self.get(urljoin(response.url, response.headers["Location"])))
        if htmx and (target := response.headers.get("HX-Redirect")):
            return Sent(response, self.get(target))
        return Sent(response, Page(response.url, response.status_code, response.text))

    def press(self, page: Page, name: str, *, within: Element | None = None, htmx: bool = False) -> Sent:
        """Press the button of this name, which sends its form as it stands."""
        form, button = page.button(name, within)
        return self.submit(form, button=button, htmx=htmx)

    def _post(self, submission: Submission, form: Form, *, htmx: bool) -> requests.Response:
        headers = {"Content-Type": submission.content_type, "Origin": self.base_url, "Referer": form.url}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": form.url, "Accept": "*/*"}
            headers |= {"HX-Target": target[1:]} if (target := form.element.get("hx-target")).startswith("#") else {}
        return self.session.request(
            submission.method,
            submission.url,
            data=submission.body,
            headers=headers,
            timeout=self.timeout,
            # A script's request follows redirects out of sight, a form's own redirect is what the caller may look at.
            allow_redirects=htmx,
        )

    def _absolute(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else self.base_url + path

    # --- Conversations ------------------------------------------------------------------------------------------------
    def send(
        self,
        text: str,
        conversation: str | None = None,
        *,
        images: Sequence[Upload] = (),
        model: str | None = None,
        key: str | None = None,
        htmx: bool = False,
        values: Mapping[str, str] | None = None,
        compare: Sequence[str] = (),
    ) -> Sent:
        """Open the page, fill in the composer, send.

        `values` are further fields of the composer by name, `compare` the models that are to answer, too.
        """
        form = self.page(conversation).form_with("text")
        typed = {"text": text, "model": model, "key": key, **(values or {})}
        known = {name: value for name, value in typed.items() if value is not None}
        ticked = [("compare", one) for one in compare]
        return self.submit(form, known, {"images": list(images)}, htmx=htmx, ticked=ticked)

    def stop(self, conversation: str, *, htmx: bool = False) -> Sent:
        return self.press(self.page(conversation), "Stop", htmx=htmx)

    def retry(self, conversation: str, reply_uuid: str | None = None, *, htmx: bool = False) -> Sent:
        """Press "Retry" in that reply, or in the last one."""
        page = self.page(conversation)
        article = page.article(reply_uuid) if reply_uuid else page.replies[-1]
        return self.press(page, "Retry", within=article.element, htmx=htmx)

    # --- Following a reply --------------------------------------------------------------------------------------------
    def follow(
        self,
        reply_uuid: str,
        last_event_id: str | None = None,
        *,
        into: Transcript | None = None,
        leave: Leave = never,
        reconnect: bool = False,
        past_final: bool = False,
        deadline: float = 120.0,
    ) -> Transcript:
        """Read the reply's events and apply them.

        last_event_id: where to go on; with `into` the text that is already on the page stays
        leave: asked after each event whether to go away, as in `after_events(3)` or `after_characters(100)`
        reconnect: when the stream ends early, do as EventSource and htmx do, until `final` or `end`
        past_final: read on behind `final`, up to the server's end of the stream
        deadline: seconds for all of it; raises TimeoutError with what was there
        """
        transcript = into if into is not None else Transcript()
        visit = _Visit(self, reply_uuid, transcript, leave, past_final, time.monotonic() + deadline)
        visit.run(last_event_id, reconnect=reconnect)
        return transcript


@dataclass(slots=True)
class _Visit:
    """One call of Person.follow. `until` is the deadline by time.monotonic(), `retry` is in seconds."""

    person: Person
    reply_uuid: str
    transcript: Transcript
    leave: Leave
    past_final: bool
    until: float
    retry: float = DEFAULT_RETRY

    def run(self, last_event_id: str | None, *, reconnect: bool) -> None:
        ending = self._connection(last_event_id)
        while reconnect and ending in ("eof", "cut", "refused"):
            self._wait()
            # EventSource gives up after a status other than 200; htmx then opens a new one, which knows no last id.
            ending = self._connection(None if ending == "refused" else self.transcript.last_event_id)
        self.transcript.ending = ending

    def _connection(self, last_event_id: str | None) -> Ending:
        self.transcript.connections += 1
        self.transcript.ending = ""
        # A session of its own: the pool of the person's pages is not made for many threads.
        with requests.Session() as session:
            session.trust_env = False
            session.cookies.update(self.person.session.cookies)
            try:
                with self._open(session, last_event_id) as response:
                    return self._answer(response, EventStream(last_event_id or ""))
            except (requests.Timeout, urllib3.exceptions.ReadTimeoutError) as exc:
                raise self._overdue() from exc
            except (requests.ConnectionError, urllib3.exceptions.HTTPError):
                return self.transcript.ending or "cut"

    def _open(self, session: requests.Session, last_event_id: str | None) -> requests.Response:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        url = f"{self.person.base_url}/replies/{self.reply_uuid}/events/"
        return session.get(url, headers=headers, stream=True, timeout=self.person.timeout, allow_redirects=False)

    def _answer(self, response: requests.Response, stream: EventStream) -> Ending:
        self.transcript.status_code = response.status_code
        if response.status_code != 200:
            return "refused"
        try:
            while data := response.raw.read1(65536, decode_content=True):
                if ending := self._apply(stream.feed(data)):
                    return ending
        finally:
            self.transcript.comments += stream.comments
            self.retry = self.retry if stream.retry is None else stream.retry / 1000
        return self.transcript.ending or "eof"

    def _apply(self, events: list[ServerEvent]) -> Ending:
        at = time.monotonic()
        for event in events:
            self.transcript.apply(event, at)
            if self.transcript.is_over and not self.past_final:
                return self.transcript.ending
            if self.leave(event, self.transcript):
                return "left"
        if at > self.until:
            raise self._overdue()
        return ""

    def _wait(self) -> None:
        if time.monotonic() + self.retry > self.until:
            raise self._overdue()
        time.sleep(self.retry)

    def _overdue(self) -> TimeoutError:
        shown = self.transcript
        return TimeoutError(
            f"reply {self.reply_uuid} did not end in time: status {shown.status_code}, {len(shown.events)} events, "
            f"last {shown.names[-3:]}, text so far {shown.text[-200:]!r}"
        )
