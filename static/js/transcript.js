// The transcript: follows while the reader is at its end. Listeners are on the body: htmx replaces parts of it.

const part = (id) => document.getElementById(id);
let isAtEnd = true;

function toEnd() {
  part("scroller").scrollTop = part("scroller").scrollHeight;
}

const sight = new IntersectionObserver((entries) => {
  isAtEnd = entries.at(-1).isIntersecting;
  part("to-end")?.toggleAttribute("hidden", isAtEnd && !part("later")); // page closes
}, { root: part("scroller"), rootMargin: "0px 0px 48px" });
sight.observe(part("end"));

new ResizeObserver(() => isAtEnd && !part("later") && toEnd()).observe(part("transcript"));

// Is the end of another branch in sight?
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
  for (const place of htmx.findAll(".seconds")) {
    place.since ??= now - place.dataset.lasts;
    const seconds = Math.floor(now - place.since);
    if (seconds > 3) place.textContent = place.dataset.words.replace(0, seconds);
  }
}

// Who reads in the middle stays there while more is added below.
htmx.on("htmx:beforeSwap", ({ target }) => {
  if (target.id !== "later") return;
  const scroller = part("scroller");
  const place = scroller.scrollTop + scroller.scrollHeight;
  htmx.on("htmx:afterSwap", () => (scroller.scrollTop = place - scroller.scrollHeight), { once: true });
});

// A proxy's error page, say, is not for the page.
htmx.on("htmx:beforeSwap", ({ detail }) => {
  if (detail.isError && !detail.xhr.getResponseHeader("HX-Retarget")) detail.shouldSwap = false;
});

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (elt.matches("#settings:has(.close)")) elt.showPopover();
  if (elt.matches("dialog")) elt.showModal();
  if (htmx.find("article")) import("./branches.js");
  if (elt.id === "text") {
    elt.selectionStart = elt.value.length; // a message that was taken back is in it
    htmx.trigger(elt, "input");
  }
  offerCopies();
  if (elt.matches("[data-role=user]:not([data-added])")) toEnd(); // not what is read again
});

htmx.on("#to-end", "click", () => (part("later") ? location.assign(location.pathname) : toEnd()));

// Browsers want it asked while the person does something.
htmx.on("submit", () => htmx.find("[data-notifies]") && window.Notification?.requestPermission());

addEventListener("visibilitychange", () => import("./background.js"), { once: true });
const shortcuts = () => import("./shortcuts.js").catch(() => ({ press() {} })); // offline there are none
htmx.on("click", shortcuts, { once: true });
htmx.on("keydown", (event) => shortcuts().then(({ press }) => press(event)));

document.documentElement.classList.toggle("speaks", "speechSynthesis" in window);
setInterval(count, 1000);
