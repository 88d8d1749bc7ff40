// Drafts: what is being written is kept in this browser until it is sent, or the person logs out.

const form = () => document.getElementById("composer");
const text = () => document.getElementById("text");
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

document.addEventListener("input", ({ target }) => target === text() && save());
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) localStorage.removeItem(place()); // sending may change the address
});
document.addEventListener("htmx:afterRequest", save);

document.addEventListener("submit", ({ target }) => {
  if (!new URL(target.action).pathname.endsWith("/logout/")) return;
  if (text()) text().value = "";
  forgetAllBut("none");
});

addEventListener("pagehide", save);

if (text()) {
  forgetAllBut(`draft:${form().dataset.person}:`); // somebody else's, whose login ended by itself
  text().value ||= localStorage.getItem(place()) ?? "";
  text().dispatchEvent(new Event("input", { bubbles: true }));
}
