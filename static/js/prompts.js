// Prompts that open at a slash in the message box. All that is shown comes by htmx.

const part = (id) => document.getElementById(id);
const box = () => part("text");
const word = () => /^\/([\p{L}\p{N}_-]*)$/u.exec(box().value.slice(0, box().selectionEnd))?.[1].toLowerCase();

let found = []; // what the open list shows
let active; // the one of them that Enter takes
let isDismissed; // by Escape, until the slash is gone

function mark(option) {
  active?.setAttribute("aria-selected", false);
  active = option;
  active.setAttribute("aria-selected", true);
  active.scrollIntoView({ block: "nearest" });
  box().setAttribute("aria-activedescendant", active.id);
}

function close() {
  found = [];
  if (part("prompts")) part("prompts").hidden = true;
  box()?.removeAttribute("aria-activedescendant");
}

function follow() {
  const sought = word();
  isDismissed &&= sought !== undefined;
  close();
  if (sought === undefined || isDismissed) return;
  const list = part("prompts");
  if (!list) return htmx.trigger("#prompts-place", "wanted");
  found = [...list.children].filter((one) => !(one.hidden = !one.dataset.name.includes(sought)));
  list.hidden = !found.length;
  if (found.length) mark(found.find((one) => one.dataset.name.startsWith(sought)) ?? found[0]);
}

// Before the composer's own keys: Enter chooses here.
htmx.on("keydown", (event) => {
  if (event.target !== box() || !found.length || event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) mark(found.at((found.indexOf(active) + step) % found.length));
  else if (event.key === "Enter") active.click();
  else if (event.key === "Escape") {
    isDismissed = true;
    close();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

// Only what is typed: a draft that comes back, or an inserted text, opens nothing.
htmx.on("input", ({ target, isTrusted }) => isTrusted && target === box() && follow());
htmx.on("focusout", () => part("prompts")?.matches(":hover") || close());

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (elt.id === "prompts") follow();
  else if (elt.matches(".asking")) {
    close();
    elt.showModal();
  } else if (elt.matches("[data-filled]")) {
    close();
    box().focus();
    box().setRangeText(elt.textContent, 0, word()?.length + 1 || 0, "end");
    htmx.trigger(box(), "input");
  }
});

follow();
