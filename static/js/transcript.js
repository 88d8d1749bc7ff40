// The transcript: stays at its end while the reader is there, counts seconds, loads what is needed now and then.
// Listeners are on the body: htmx replaces parts of the page.

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
}

// Whether the end of another branch is in sight has to be seen.
htmx.on("switched", () => {
  isAtEnd = false;
  sight.unobserve(part("end"));
  sight.observe(part("end"));
});

function offerCopies() {
  for (const code of part("transcript").querySelectorAll("div.code:not(:has(> .copy))")) {
    code.append(part("copy-code").content.cloneNode(true));
  }
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
htmx.on("htmx:beforeSwap", ({ target }) => {
  if (target.id !== "later") return;
  const scroller = part("scroller");
  const place = scroller.scrollTop + scroller.scrollHeight;
  const stay = () => (scroller.scrollTop = place - scroller.scrollHeight);
  htmx.on("htmx:afterSwap", stay, { once: true });
});

// A proxy's error page, say, is not for the page.
htmx.on("htmx:beforeSwap", ({ detail }) => {
  if (detail.isError && !detail.xhr.getResponseHeader("HX-Retarget")) detail.shouldSwap = false;
});

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (elt.matches("#settings:has(.close)")) elt.showPopover();
  if (elt.matches("article")) import("./branches.js");
  if (elt.id === "text") {
    elt.selectionStart = elt.value.length; // a message that was taken back is in it
    htmx.trigger(elt, "input");
  }
  offerCopies();
  // What came to the top of the list has left its old place further down.
  if (elt.id === "recent") {
    for (const { id } of elt.querySelectorAll("a")) document.querySelector(`#recent ~ ul #${id}`)?.parentElement.remove();
  }
  if (elt.matches("[data-role=user]:not([data-added])")) toEnd(); // not what is read again
});

htmx.on("click", (event) => {
  const button = event.target.closest?.("[data-act], #to-end");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (button.id === "to-end") part("later") ? location.assign(location.pathname) : toEnd();
  else {
    event.preventDefault();
    import("./actions.js").then(({ act }) => act(button));
  }
});

// Asks once; a browser lets it be asked only while the person does something.
htmx.on("submit", () => "notifies" in part("chat").dataset && window.Notification?.requestPermission());

document.addEventListener("visibilitychange", () => import("./background.js"), { once: true });
const shortcuts = () => import("./shortcuts.js").catch(() => ({ press() {} })); // offline there are none
document.addEventListener("click", shortcuts, { once: true });
document.addEventListener("keydown", (event) => shortcuts().then(({ press }) => press(event)));

document.documentElement.classList.toggle("speaks", "speechSynthesis" in window);
setInterval(count, 1000);
begin();
if (document.querySelector("article")) import("./branches.js");
