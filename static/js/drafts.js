// Drafts, kept in this browser until they are sent or the person logs out.

const form = () => htmx.find("#composer");
const text = () => htmx.find("#text");
const place = () => `draft:${form().dataset.person}:${location.pathname}`;

function save() {
  if (text()?.value.trim()) localStorage.setItem(place(), text().value);
  else if (text()) localStorage.removeItem(place());
}

function forgetAllBut(kept) {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("draft:") && !key.startsWith(kept)) localStorage.removeItem(key);
  }
}

htmx.on("input", ({ target }) => target === text() && save());
htmx.on("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) localStorage.removeItem(place()); // sending may change the address
});
htmx.on("htmx:afterRequest", save);

htmx.on("submit", ({ target }) => {
  if (!target.matches('[action$="/logout/"]')) return;
  if (text()) text().value = "";
  forgetAllBut("none");
});

addEventListener("pagehide", save);

if (text()) {
  forgetAllBut(`draft:${form().dataset.person}:`); // somebody else's
  text().value ||= localStorage.getItem(place()) ?? "";
  htmx.trigger(text(), "input");
}
