"""The hostile texts, and what sees in a browser whether one of them was more than text."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.unit.test_markup_hostile import CORPUS

UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # no form takes them
TEXTS = list(dict.fromkeys(UNSENDABLE.sub("?", one) for one in CORPUS if len(one) < 5_000 and "[[" not in one))
OURS = re.compile(
    r"/(static/.*|c/recent/|c/[0-9a-f-]{36}/|c/|replies/[0-9a-f-]{36}/events/|manifest.webmanifest|favicon.ico)?"
    r"|/attachments/[0-9a-f-]{36}/(original|thumbnail)/|/admin/jsi18n/"
    r"|/admin/conversations/conversation/\d+/pictures/[0-9a-f-]{36}/(original|thumbnail)/"
)
# What no text in a message may become.
FOREIGN = """[...document.querySelectorAll('[data-body] *')].filter(one =>
    !one.matches('button.copy[data-module=actions], button.copy *, a.csv[href^="/messages/"], .csv *,'
        + 'details.attached > summary > svg, details.attached > summary > svg *,'
        + 'figure.picture[id^=picture-], figure.picture[id^=picture-] *')).filter(one =>
    one.matches('script,iframe,img,svg,form,input,object,embed,style,link,meta,base,video,audio,template,button')
    || [...one.attributes].some(({name}) => /^(on|hx-|data-hx|sse-|style$|id$|name$|src)/.test(name))
    || (one.matches('a[href]') && !/^(https?|mailto):/.test(one.getAttribute('href')))).map(one => one.outerHTML)"""
# What no text may become anywhere: elements and attributes that no template of ours, nor of Django's, has.
STRANGE = """[...document.querySelectorAll('*')].filter(one =>
    one.matches(`script:not([src^="/static/"]):not([src="/admin/jsi18n/"]):not([type="application/json"]),iframe,object,
        embed,base,style,video,audio,noscript,meta[http-equiv],body,x-element,input[autofocus][onfocus],details[ontoggle],
        img[src]:not([src^="/"],[src^="blob:"]),svg:not([class],[viewBox]),link:not([href^="/"])`)
            && one !== document.body
    || [...one.attributes].some(({name, value}) => /^(data-)?(hx-)?on/.test(name)
        || /^(hx-get|sse-connect)$/.test(name) && value === '/x' || /^(srcdoc|xlink:href)$/.test(name)
        || /^(href|src|action|formaction)$/.test(name) && !/^(https?:|mailto:|blob:|[/?#.]|[\\w-]+\\/|$)/.test(value)
        || /^(src|action|formaction)$/.test(name) && /^(https?:|\\/[/\\\\])/.test(value))
).map(one => one.outerHTML.slice(0, 300))"""
# Where one text holds all of them, it is shown as it was stored: returns what is not, and how often it stands there.
AS_WRITTEN = """([whole, begin, shortest]) => {
    const values = [], wrong = [];
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (node.nodeType === Node.TEXT_NODE)
            node.parentElement.closest('[data-body]') && !node.parentElement.matches('.attached > summary > bdi')
                || values.push(node.data);
        else values.push(...[...node.attributes].map(({value}) => value));
    let times = 0;
    for (const value of values)
        for (const tail of value.split(begin).slice(1)) {
            if (/^[+%]/.test(tail)) continue;  // encoded, in a link
            const said = tail.trim(), length = Math.min(said.length, whole.length);
            times += 1;
            let same = 0;
            while (same < length && said[same] === whole[same]) same += 1;
            if (same < shortest) wrong.push(said.slice(0, 200));
        }
    return {times, wrong};
}"""
ON_ONE_PAGE = 450  # in one message
BEGIN, END = "zebraquartzes", "xylonimbuses"  # around all of them in one line
MESSAGE = "jackdawloves"  # before those in a message
SHORTEST = 40  # characters that the shortest of our excerpts shows; the first tag of the texts ends before


class Judge:
    """What happened in a page that should not have."""

    def __init__(self, page: Page) -> None:
        self.page, self.wrong, self.steps, self.here = page, list[str](), 0, ""
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._look(request.url))
        page.on("framenavigated", lambda _frame: self._step())
        page.on("popup", lambda popup: self.wrong.append(f"a window: {popup.url}"))

    def _dismiss(self, dialog: object) -> None:
        self.wrong.append("a dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and url != self.here and not OURS.fullmatch(parts.path):
            self.wrong.append(url)

    def _step(self) -> None:
        self.steps += 1

    def passes(self, steps: int) -> None:
        """`steps`: how often we went somewhere ourselves."""
        assert self.wrong == [], self.here[:200]
        assert self.steps == steps, self.here[:200]
        assert self.page.evaluate(FOREIGN) == []
        assert self.page.evaluate("Object.keys(window).filter(name => /^(hit|pwned|xss)/i.test(name))") == []

    def sees(self, what: str) -> int:
        """How often all of them in one line stand in the page, each time as they were written."""
        assert self.page.evaluate(STRANGE) == [], what[:200]
        found = self.page.evaluate(AS_WRITTEN, [all_in_one().removeprefix(BEGIN).strip(), BEGIN, SHORTEST])
        assert found["wrong"] == [], what[:200]
        return int(found["times"])


def pages_of(texts: list[str], many: int = ON_ONE_PAGE) -> list[str]:
    """As messages, each of which holds that many."""
    return ["\n\n".join(texts[start : start + many]) for start in range(0, len(texts), many)]


def all_in_one() -> str:
    """In one line, which nothing that stores texts makes different."""
    return " ".join(f"{BEGIN} {' '.join(TEXTS)} {END}".split())
