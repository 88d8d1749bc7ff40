// The transcript: stays at its end while the reader is there, says once that a reply is finished, counts seconds.

const FINISHED = 'article[data-role="assistant"]:not([data-status="pending"], [data-status="streaming"])';
const SPOKEN = 1000; // characters of a finished reply that are read aloud

const part = (id) => document.getElementById(id);
let isAtEnd = true;
let sight;

function toEnd() {
  part("scroller").scrollTop = part("scroller").scrollHeight;
}

function begin() {
  sight = new IntersectionObserver((entries) => {
    isAtEnd = entries.at(-1).isIntersecting;
    part("to-end").hidden = isAtEnd && !part("later");
  }, { root: part("scroller"), rootMargin: "0px 0px 48px" });
  sight.observe(part("end"));
  new ResizeObserver(() => isAtEnd && !part("later") && toEnd()).observe(part("transcript"));
  new MutationObserver(offerCopies).observe(part("transcript"), { childList: true, subtree: true });
  offerCopies();
}

// Another branch is on show: whether its end is in sight has to be seen.
document.addEventListener("chat:switched", () => {
  isAtEnd = false;
  sight.unobserve(part("end"));
  sight.observe(part("end"));
});

function offerCopies() {
  for (const code of part("transcript").querySelectorAll("div.code:not(:has(> .copy))")) {
    code.append(document.importNode(part("copy-code").content, true));
  }
  for (const table of part("transcript").querySelectorAll(".body .table:not([data-tail] *, :has(+ .csv))")) {
    table.after(document.importNode(part("save-table").content, true));
  }
}

function announce(article) {
  const body = article.querySelector("[data-body]").innerText;
  if (body) part("announcer").textContent = `${article.querySelector("h2").innerText}. ${body.slice(0, SPOKEN)}`;
}

function count() {
  const now = performance.now() / 1000;
  for (const place of document.querySelectorAll(".seconds")) {
    const { began, now: rendered } = place.dataset; // both by the server's clock
    place.since ??= now - (rendered - began);
    const seconds = Math.floor(now - place.since);
    if (seconds > 3) place.textContent = place.dataset.words.replace(0, seconds);
  }
}

// In the middle of a long conversation more is added below the reader, who stays where they are.
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (target.id !== "later") return;
  const scroller = part("scroller");
  const place = scroller.scrollTop + scroller.scrollHeight;
  const stay = () => (scroller.scrollTop = place - scroller.scrollHeight);
  document.addEventListener("htmx:afterSwap", stay, { once: true });
});

// A message that was taken back: its text goes in front of what is being written.
function putBack(withdrawn) {
  const { text } = part("composer").elements;
  text.value = [withdrawn.textContent, text.value].filter(Boolean).join("\n\n");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
  withdrawn.remove();
}

document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt.matches("[data-withdrawn]")) putBack(elt);
  if (elt.matches("#settings:has(.close)")) {
    elt.showPopover();
    elt.querySelector(".close").focus();
  }
  if (elt.matches("article")) import("./branches.js");
  // What came to the top of the list has left its old place further down.
  if (elt.id === "recent") {
    for (const { id } of elt.querySelectorAll("a")) document.querySelector(`#recent ~ ul #${id}`)?.parentElement.remove();
  }
  if ("added" in elt.dataset) return; // read again, not news
  if (elt.matches(FINISHED)) announce(elt);
  if (elt.matches('article[data-role="user"]')) toEnd();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act], #to-end");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (button.id === "to-end") part("later") ? location.assign(location.pathname) : toEnd();
  else {
    event.preventDefault();
    import("./actions.js").then(({ act }) => act(button));
  }
});

// Asks once; a browser lets it be asked only while the person does something.
document.addEventListener("submit", () => "notifies" in part("chat").dataset && window.Notification?.requestPermission());

document.addEventListener("visibilitychange", () => import("./background.js"), { once: true });

document.documentElement.classList.toggle("speaks", "speechSynthesis" in window);
setInterval(count, 1000);
begin();
if (document.querySelector("article")) import("./branches.js");
