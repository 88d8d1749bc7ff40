// The composer: keys, growth, and a sentence where sending did not work. Drafts and what comes beside the text have
// modules of their own, loaded when first needed. Listeners are on the document: htmx replaces parts of the page.

const isTouched = matchMedia("(pointer: coarse)");
const part = (id) => document.getElementById(id);
const form = () => part("composer");
const text = () => part("text");
const cards = () => [...document.querySelectorAll(".preview, .text-card")];

let sent = {}; // text and cards of the request on its way
let ready = Promise.resolve(); // settled when what was chosen, dropped or pasted is in the form
let renewals = 0; // of the form's token since something was sent

function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  text().style.blockSize = "auto";
  text().style.blockSize = `${text().scrollHeight}px`;
}

function say(sentence, kind = "error") {
  const notice = document.createElement("p");
  notice.className = `notice ${kind}`;
  notice.role = "alert";
  notice.textContent = sentence;
  part("composer-notice").replaceChildren(...(sentence ? [notice] : []));
}

const MODULES = {
  pictures: () => import("./pictures.js"),
  texts: () => import("./texts.js"),
  viewer: () => import("./viewer.js"),
};

// Let a module do something before the next message is sent; it may give a sentence back.
function using(name, work) {
  ready = Promise.all([MODULES[name](), ready]).then(([module]) => work(module)).then((said) => said && say(...said))
    .catch(() => say(form().dataset.offline));
}

function attach(files) {
  const isPicture = ({ type, name }) => /^image\/(?!svg)/.test(type) || /\.hei[cf]$/i.test(name);
  const others = files.filter((file) => !isPicture(file));
  say("");
  using("pictures", ({ add }) => add(files.filter(isPicture)));
  if (others.length) using("texts", ({ read }) => read(others));
  text().focus();
}

document.addEventListener("input", ({ target, isTrusted }) => {
  if (target !== text()) return;
  grow();
  import("./drafts.js");
  if (isTrusted && text().value.startsWith("/")) import("./prompts.js");
});

document.addEventListener("keydown", (event) => {
  const { key, shiftKey } = event;
  if (event.target !== text() || event.isComposing || event.keyCode === 229 || event.altKey) return;
  if (key === "ArrowUp" && !text().value) [...document.querySelectorAll("[data-role=user] [data-edit]")].at(-1)?.click();
  const isMeant = event.ctrlKey || event.metaKey || (!isTouched.matches && shiftKey !== "enterSends" in form().dataset);
  if (key !== "Enter" || !isMeant) return;
  event.preventDefault();
  if (text().value.trim() || cards().length) form().requestSubmit(form().querySelector(".send"));
});

document.addEventListener("change", ({ target }) => {
  const hint = part("model-hint");
  if (target.name === "images") attach([...target.files]);
  else if (target.id === "model" && hint) hint.textContent = target.selectedOptions[0].title;
});

document.addEventListener("paste", (event) => {
  const { files, types } = event.clipboardData;
  const pasted = event.clipboardData.getData("text/plain");
  // A copied table comes as text and as a picture of it: the text is meant.
  if (text() && files.length && !types.includes("text/plain")) {
    event.preventDefault();
    attach([...files]);
  } else if (event.target === text() && (pasted.length > 2000 || pasted.split("\n").length > 40)) {
    using("texts", ({ offer }) => offer(pasted));
  }
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!text() || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form().classList.toggle("dropping", kind === "dragover" || event.relatedTarget);
    if (kind === "drop") attach([...event.dataTransfer.files]);
  });
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest?.("[data-module]");
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey || !text()) return;
  event.preventDefault();
  using(pressed.dataset.module, ({ press }) => press(pressed));
});

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.elt !== form()) return;
  event.preventDefault();
  ready.then(() => event.detail.issueRequest(true));
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) sent = { text: text().value, cards: cards() };
});

document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful, xhr } }) => {
  if (elt !== form()) return;
  // Of a refused message the server keeps the good pictures: its cards have come in the place of those sent.
  const isKept = xhr.getResponseHeader("HX-Trigger")?.includes("kept");
  const gone = sent.cards.filter((card) => successful || (isKept && card.matches(".preview")));
  gone.forEach((card) => card.remove());
  if (gone.length) using("pictures", ({ update }) => update());
  if (!successful) return;
  renewals = 0;
  const now = text().value; // perhaps more was written meanwhile
  if (now.startsWith(sent.text)) text().value = now.slice(sent.text.length);
  text().dispatchEvent(new Event("input", { bubbles: true }));
  if (!isTouched.matches) text().focus();
});

// Somebody who has logged in again in another tab has a new token, too.
document.addEventListener("renewed", ({ detail, target }) => {
  document.getElementsByName("csrfmiddlewaretoken").forEach((field) => (field.value = detail.value));
  if (target === form() && !renewals++) setTimeout(() => form().requestSubmit());
});

// An answer without a place of its own is not for the page: a proxy's error page, say.
const isPlaced = ({ xhr }) => xhr.getResponseHeader("HX-Retarget");

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.isError && !isPlaced(detail)) detail.shouldSwap = false;
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  if (isPlaced(detail) || renewals === 1) return;
  const { tooLarge, outdated, failed } = form().dataset;
  say({ 413: tooLarge, 403: outdated, 404: outdated }[detail.xhr.status] ?? failed);
});

document.addEventListener("htmx:sendError", () => say(form().dataset.offline));

if (text()) grow();
if (text() && Object.keys(localStorage).some((key) => key.startsWith("draft:"))) import("./drafts.js");
if (cards().length) using("pictures", ({ update }) => update());
for (const { files } of document.getElementsByName("images")) if (files.length) attach([...files]); // before this script
