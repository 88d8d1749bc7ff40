// The composer: keys, growth, and a sentence where sending did not work. The rest is loaded when first needed.

const isTouched = matchMedia("(pointer: coarse)");
const part = (id) => document.getElementById(id);
const form = () => part("composer");
const text = () => part("text");
const all = (selector) => [...document.querySelectorAll(selector)];
const cards = () => all(".preview, .text-card");

let sent = {}; // text and cards of the request on its way
let ready = Promise.resolve(); // settled when what was chosen, dropped or pasted is in the form
let renewals = 0; // of the form's token since something was sent

function grow() {
  const { style } = text();
  if ("fieldSizing" in style) return;
  style.blockSize = "auto";
  style.blockSize = `${text().scrollHeight}px`;
}

function say(sentence, kind = "error") {
  const notice = document.createElement("p");
  notice.className = `notice ${kind}`;
  notice.role = "alert";
  notice.textContent = sentence;
  part("composer-notice").replaceChildren(...(sentence ? [notice] : []));
}

const sayOffline = () => say(form().dataset.offline);

const MODULES = {
  pictures: () => import("./pictures.js"),
  texts: () => import("./texts.js"),
  viewer: () => import("./viewer.js"),
};

// Work that comes before the next message is sent; it may give a sentence back.
function using(name, work) {
  ready = Promise.all([MODULES[name](), ready]).then(([module]) => work(module)).then((said) => said && say(...said))
    .catch(sayOffline);
}

function attach(files) {
  const isPicture = ({ type, name }) => /^image\/(?!svg)/.test(type) || /\.hei[cf]$/i.test(name);
  const others = files.filter((file) => !isPicture(file));
  say("");
  using("pictures", ({ add }) => add(files.filter(isPicture)));
  if (others.length) using("texts", ({ read }) => read(others));
  text().focus();
}

htmx.on("input", ({ target, isTrusted }) => {
  if (target !== text()) return;
  grow();
  import("./drafts.js");
  if (isTrusted && text().value.startsWith("/")) import("./prompts.js");
});

htmx.on("keydown", (event) => {
  const { key, shiftKey } = event;
  if (event.target !== text() || event.isComposing || event.keyCode === 229 || event.altKey) return;
  if (key === "ArrowUp" && !text().value) all("[data-role=user] [data-edit]").at(-1)?.click();
  const isMeant = event.ctrlKey || event.metaKey || (!isTouched.matches && shiftKey !== "enterSends" in form().dataset);
  if (key !== "Enter" || !isMeant) return;
  event.preventDefault();
  if (text().value.trim() || cards().length) form().requestSubmit(form().querySelector(".send"));
});

htmx.on("change", ({ target }) => {
  const hint = part("model-hint");
  if (target.name === "images") attach([...target.files]);
  else if (target.id === "model" && hint) hint.textContent = target.selectedOptions[0].title;
});

htmx.on("paste", (event) => {
  const { files, types } = event.clipboardData;
  const pasted = event.clipboardData.getData("text");
  // A copied table comes as text and as a picture of it: the text is meant.
  if (text() && files.length && !types.includes("text/plain")) {
    event.preventDefault();
    attach([...files]);
  } else if (event.target === text() && (pasted.length > 2000 || pasted.split("\n").length > 40)) {
    using("texts", ({ offer }) => offer(pasted));
  }
});

function drag(event) {
  const { type, dataTransfer, relatedTarget } = event;
  if (!text() || !dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  form().classList.toggle("dropping", type === "dragover" || relatedTarget);
  if (type === "drop") attach([...dataTransfer.files]);
}

["dragover", "dragleave", "drop"].forEach((kind) => htmx.on(kind, drag));

htmx.on("click", (event) => {
  const pressed = event.target.closest?.("[data-module]");
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey || !text()) return;
  event.preventDefault();
  using(pressed.dataset.module, ({ press }) => press(pressed));
});

htmx.on("htmx:confirm", (event) => {
  if (event.detail.elt !== form()) return;
  event.preventDefault();
  ready.then(() => event.detail.issueRequest(true));
});

htmx.on("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) sent = { text: text().value, cards: cards() };
});

htmx.on("htmx:afterRequest", ({ detail: { elt, successful, xhr } }) => {
  if (elt !== form()) return;
  // Of a refused message the server keeps the good pictures, as cards of its own.
  const isKept = xhr.getResponseHeader("HX-Trigger")?.includes("kept");
  const gone = sent.cards.filter((card) => successful || (isKept && card.matches(".preview")));
  gone.forEach((card) => card.remove());
  if (gone.length) using("pictures", ({ update }) => update());
  if (!successful) return;
  renewals = 0;
  if (text().value.startsWith(sent.text)) text().value = text().value.slice(sent.text.length); // more is written
  htmx.trigger(text(), "input");
  if (!isTouched.matches) text().focus();
});

// Somebody who has logged in again in another tab has a new token, too.
htmx.on("renewed", ({ detail, target }) => {
  document.getElementsByName("csrfmiddlewaretoken").forEach((field) => (field.value = detail.value));
  if (target === form() && !renewals++) setTimeout(() => form().requestSubmit());
});

htmx.on("htmx:responseError", ({ detail }) => {
  if (detail.xhr.getResponseHeader("HX-Retarget") || renewals === 1) return;
  const { tooLarge, outdated, failed } = form().dataset;
  say({ 413: tooLarge, 403: outdated, 404: outdated }[detail.xhr.status] ?? failed);
});

htmx.on("htmx:sendError", sayOffline);

if (text()) grow();
if (text() && /(^|,)draft:/.test(Object.keys(localStorage))) import("./drafts.js");
if (cards().length) using("pictures", ({ update }) => update());
for (const { files } of document.getElementsByName("images")) if (files.length) attach([...files]); // before this script
