// While nobody looks: title and notification tell of replies, and the list rests.

const RUNNING = "article[sse-connect]";
const LONG = 10; // seconds
const began = new Map(); // by id, in seconds of this page
const seconds = () => performance.now() / 1000;
const title = () => document.title.replace(/^[…●] /u, "");

function note() {
  for (const { id } of htmx.findAll(RUNNING)) {
    if (!began.has(id)) began.set(id, htmx.find(`#${id} .seconds`)?.since ?? seconds());
    document.title = `… ${title()}`;
  }
}

function tell(article) {
  const isLong = seconds() - began.get(article.id) > LONG;
  began.delete(article.id);
  document.title = `● ${title()}`;
  if (!isLong || !htmx.find("[data-notifies]") || Notification.permission !== "granted") return;
  const body = article.querySelector("[data-body]").textContent.trim().slice(0, 150);
  new Notification(title(), { body, tag: article.id }).onclick = () => window.focus();
}

addEventListener("visibilitychange", () => {
  document.title = title();
  if (document.hidden) note();
});

htmx.on("htmx:load", ({ detail: { elt } }) => {
  if (!document.hidden) return;
  if (began.has(elt.id) && !elt.matches(RUNNING)) tell(elt);
  note();
});

htmx.on("htmx:beforeRequest", (event) => event.target.id === "recent" && document.hidden && event.preventDefault());

if (document.hidden) note();
