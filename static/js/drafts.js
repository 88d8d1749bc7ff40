// Drafts: what is being written is kept in this browser until it is sent, or the person logs out.

const form = () => document.getElementById("composer");
const text = () => document.getElementById("text");
const place = () => `draft:${form().dataset.person}:${location.pathname}`;

let sentFrom = "";
let saving;

function save() {
  clearTimeout(saving);
  if (!text()) return;
  if (text().value.trim()) localStorage.setItem(place(), text().value);
  else localStorage.removeItem(place());
}

function forgetAllBut(kept) {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("draft:") && !key.startsWith(kept)) localStorage.removeItem(key);
  }
}

document.addEventListener("input", ({ target }) => {
  if (target !== text()) return;
  clearTimeout(saving);
  saving = setTimeout(save, 300);
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) sentFrom = place();
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt === form() && detail.successful) localStorage.removeItem(sentFrom);
});

document.addEventListener("submit", ({ target }) => {
  if (!new URL(target.action).pathname.endsWith("/logout/")) return;
  if (text()) text().value = "";
  forgetAllBut("none");
});

addEventListener("pagehide", save);

if (text()) {
  forgetAllBut(`draft:${form().dataset.person}:`); // somebody else's, whose login ended by itself
  const kept = localStorage.getItem(place());
  if (kept && !text().value) {
    text().value = kept;
    text().dispatchEvent(new Event("input", { bubbles: true }));
  } else save();
}
