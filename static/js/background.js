// While nobody looks: the title says how a reply is doing, a notification that a long one is done, the list rests.

const RUNNING = 'article:is([data-status="pending"], [data-status="streaming"])';
const LONG = 10; // seconds
const began = new Map(); // id of a running reply → when, in seconds of this page
const seconds = () => performance.now() / 1000;
const title = () => document.title.replace(/^[…●] /u, "");

function note() {
  for (const { id } of document.querySelectorAll(RUNNING)) {
    if (!began.has(id)) began.set(id, document.querySelector(`#${id} .seconds`)?.since ?? seconds());
    document.title = `… ${title()}`;
  }
}

function tell(article) {
  const isLong = seconds() - began.get(article.id) > LONG;
  began.delete(article.id);
  document.title = `● ${title()}`;
  if (!isLong || !("notifies" in document.getElementById("chat").dataset) || Notification.permission !== "granted") return;
  const body = article.querySelector("[data-body]").textContent.trim().slice(0, 150);
  new Notification(title(), { body, tag: article.id }).onclick = () => window.focus();
}

document.addEventListener("visibilitychange", () => {
  document.title = title();
  if (document.hidden) note();
});

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (!document.hidden) return;
  if (began.has(elt.id) && !elt.matches(RUNNING)) tell(elt);
  note();
});

htmx.on("htmx:beforeRequest", (event) => {
  if (event.target.id === "recent" && document.hidden) event.preventDefault();
});

if (document.hidden) note();
