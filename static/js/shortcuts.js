// What keys do, and where the focus goes when its place is gone.

const find = (selector) => [...htmx.findAll(selector)].findLast((one) => one.checkVisibility());
const help = () => htmx.find('[href="/shortcuts/"]').click();
let held = document.activeElement; // what had the focus last

function step(by) {
  const links = [...htmx.findAll("#sidebar li a")];
  links[links.findIndex((link) => link.ariaCurrent) + by]?.click();
}

// All others are aria-keyshortcuts of what they press.
const WAYS = {
  l: () => htmx.find("#sidebar li a")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  "?": help,
  "؟": help,
};

function escape({ shiftKey, target }) {
  const summary = target.closest(".person[open]")?.firstElementChild;
  if (shiftKey) find(target.id === "text" ? "#scroller" : "#text")?.focus();
  else if (summary) {
    summary.focus();
    summary.click();
  }
}

export function press(event) {
  let { key } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (key === "Escape") escape(event);
  if (!key || localStorage.keys === "off" || event.target.matches("input, textarea, select")) return;
  if (/[^\0-~]/.test(key) && event.code.startsWith("Key")) key = event.code[3].toLowerCase(); // another script
  const meant = find(`[aria-keyshortcuts~="${CSS.escape(key)}"]`);
  if (meant || WAYS[key]) event.preventDefault();
  if (!meant) WAYS[key]?.();
  else if (meant.matches("textarea, select")) meant.focus();
  else meant.click();
}

document.addEventListener("keydown", press);
htmx.on("focusin", ({ target }) => (held = target));
htmx.on("pointerdown", () => (held = null));
htmx.on("change", ({ target }) => {
  if (target.id === "single-keys") localStorage.keys = target.checked ? "on" : "off";
});

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (elt.id === "shortcuts") htmx.find("#single-keys").checked = localStorage.keys !== "off";
  const place = elt.closest("article, .conversations ul");
  setTimeout(() => {
    if (!place || !held || held.checkVisibility() || ![held, document.body].includes(document.activeElement)) return;
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
});
