// Prompts that open at a slash in the message box. The list, and what one of them asks for, come by htmx.

const part = (id) => document.getElementById(id);
const box = () => part("text");
const word = () => /^\/([\p{L}\p{N}_-]*)$/u.exec(box().value.slice(0, box().selectionEnd))?.[1].toLowerCase();
const shown = () => [...part("prompts").querySelectorAll("li:not([hidden])")];

let active; // the option that Enter takes
let isDismissed = false; // by Escape, until the slash is gone

function mark(option) {
  active?.setAttribute("aria-selected", false);
  active = option;
  active.setAttribute("aria-selected", true);
  active.scrollIntoView({ block: "nearest" });
  box().setAttribute("aria-activedescendant", active.id);
}

function close() {
  if (part("prompts")) part("prompts").hidden = true;
  box()?.removeAttribute("aria-activedescendant");
}

function follow() {
  const sought = word();
  if (sought === undefined) isDismissed = false;
  if (sought === undefined || isDismissed) return close();
  const list = part("prompts");
  if (!list) return htmx.trigger("#prompts-place", "wanted");
  for (const one of list.children) one.hidden = !one.dataset.name.includes(sought);
  const found = shown();
  list.hidden = !found.length;
  if (list.hidden) return close();
  mark(found.find((one) => one.dataset.name.startsWith(sought)) ?? found[0]);
}

const keys = {
  ArrowDown: (options) => mark(options[options.indexOf(active) + 1] ?? options[0]),
  ArrowUp: (options) => mark(options.at(options.indexOf(active) - 1)),
  Enter: () => active.click(),
  Escape: () => close((isDismissed = true)),
};

// Before the composer's own keys: Enter chooses here.
document.addEventListener("keydown", (event) => {
  const act = keys[event.key];
  if (event.target !== box() || part("prompts")?.hidden !== false || !act || event.isComposing) return;
  event.preventDefault();
  event.stopPropagation();
  act(shown());
}, true);

document.addEventListener("input", ({ target }) => target === box() && follow());
document.addEventListener("focusout", () => part("prompts")?.matches(":hover") || close());
document.addEventListener("click", ({ target }) => target.closest("#prompts") && close());

document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt.id === "prompts") follow();
  else if (elt.matches(".asking")) elt.showModal();
  else if (elt.matches("[data-filled]")) {
    box().focus();
    box().setRangeText(elt.textContent, 0, word()?.length + 1 || 0, "end");
    box().dispatchEvent(new Event("input", { bubbles: true }));
  }
});

follow();
