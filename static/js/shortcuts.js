// What keys do, and where the focus goes when its place is gone. Loaded at the first key or click.

const find = (selector) => [...document.querySelectorAll(selector)].findLast((one) => one.checkVisibility());
const help = () => document.querySelector('[href="/shortcuts/"]').click();
let held = document.activeElement; // what had the focus last

function step(by) {
  const links = [...document.querySelectorAll("#sidebar li a")];
  links[links.findIndex((link) => link.ariaCurrent) + by]?.click();
}

// All others stand on what they press, as aria-keyshortcuts.
const WAYS = {
  l: () => (find(".menu") ? find(".menu").click() : document.querySelector("#sidebar li a")?.focus()),
  j: () => step(1),
  k: () => step(-1),
  "?": help,
  "؟": help,
};

function escape({ shiftKey, target }) {
  const summary = target.closest(".person[open]")?.firstElementChild;
  if (shiftKey) find(target.id === "text" ? "#scroller" : "#text")?.focus();
  else if (summary) summary.click(summary.focus());
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
document.addEventListener("focusin", ({ target }) => (held = target));
document.addEventListener("pointerdown", () => (held = null));
document.addEventListener("change", ({ target }) => {
  if (target.id === "single-keys") localStorage.keys = target.checked ? "on" : "off";
});

document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt.id === "shortcuts") {
    elt.showModal();
    document.getElementById("single-keys").checked = localStorage.keys !== "off";
  }
  const place = elt.closest("article, .conversations ul");
  setTimeout(() => {
    if (!place || !held || held.checkVisibility() || ![held, document.body].includes(document.activeElement)) return;
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
});
