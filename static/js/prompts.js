// Prompts that open at a slash in the message box.

const box = () => htmx.find("#text");
const word = () => /^\/([\p{L}\p{N}_-]*)$/u.exec(box().value.slice(0, box().selectionEnd))?.[1].toLowerCase();

let found = []; // in the open list
let active; // of these
let isDismissed; // by Escape, until the slash is gone

function mark(option) {
  if (active) active.ariaSelected = false;
  active = option;
  active.ariaSelected = true;
  active.scrollIntoView({ block: "nearest" });
  box().setAttribute("aria-activedescendant", active.id);
}

function close() {
  found = [];
  if (htmx.find("#prompts")) htmx.find("#prompts").hidden = true;
  box()?.removeAttribute("aria-activedescendant");
}

function follow() {
  const sought = word();
  isDismissed &&= sought !== undefined;
  close();
  if (sought === undefined || isDismissed) return;
  const list = htmx.find("#prompts");
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

// Only what is typed opens the list.
htmx.on("input", ({ target, isTrusted }) => isTrusted && target === box() && follow());
htmx.on("focusout", () => htmx.find("#prompts")?.matches(":hover") || close());

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (elt.id === "prompts") follow();
  if (!elt.matches(".asking, [data-filled]")) return;
  close();
  if ("filled" in elt.dataset) {
    box().focus();
    box().setRangeText(elt.textContent, 0, word()?.length + 1 || 0, "end");
    htmx.trigger(box(), "input");
  }
});

follow();
