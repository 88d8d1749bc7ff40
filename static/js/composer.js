// The composer. What it needs now and then is loaded then.

const isTouched = matchMedia("(pointer: coarse)").matches;
const part = (id) => document.getElementById(id);
const form = () => part("composer");
const text = () => part("text");
const cards = () => [...htmx.findAll(".preview, .text-card")];

let sent; // text and cards on their way
let ready = Promise.resolve(); // when all that was chosen is in the form
let renewals = 0; // of the token since something was sent

const MODULES = {
  actions: () => import("./actions.js"),
  pictures: () => import("./pictures.js"),
  texts: () => import("./texts.js"),
  viewer: () => import("./viewer.js"),
};

// Before the next message is sent; the work may give a sentence back.
function using(name, work) {
  const modules = Promise.all([MODULES[name](), ready]);
  ready = modules.then(([module]) => work(module)).then((said) => said && say(said), sayOffline);
}

function say(sentence) {
  const place = part("composer-notice");
  place.innerHTML = sentence && '<p class="notice error" role="alert"></p>';
  if (sentence) place.firstChild.textContent = sentence;
}

const sayOffline = () => say(form().dataset.offline);

// Where CSS cannot do it.
function grow() {
  const { style } = text();
  if ("fieldSizing" in style) return;
  style.blockSize = "auto";
  style.blockSize = `${text().scrollHeight}px`;
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
  if (isTrusted && target.value.startsWith("/")) import("./prompts.js");
});

htmx.on("keydown", (event) => {
  const { key, shiftKey, target } = event;
  if (target !== text() || event.isComposing || event.keyCode === 229 || event.altKey) return;
  if (key === "ArrowUp" && !target.value) [...htmx.findAll("[data-edit]")].at(-1)?.click();
  const isMeant = event.ctrlKey || event.metaKey || (!isTouched && shiftKey !== "enterSends" in form().dataset);
  if (key !== "Enter" || !isMeant) return;
  event.preventDefault();
  if (target.value.trim() || cards().length) form().requestSubmit();
});

htmx.on("change", ({ target }) => {
  const hint = part("model-hint");
  if (target.name === "images") attach([...target.files]);
  else if (target.id === "model" && hint) hint.textContent = target.selectedOptions[0].title;
});

htmx.on("paste", (event) => {
  const { clipboardData, target } = event;
  const pasted = clipboardData.getData("text");
  // A copied table comes as text and as a picture of it: the text is meant.
  if (text() && clipboardData.files.length && !pasted) {
    event.preventDefault();
    attach([...clipboardData.files]);
  } else if (target === text() && (pasted.length > 2000 || pasted.split("\n").length > 40)) {
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

["dragover", "dragleave", "drop"].forEach((type) => htmx.on(type, drag));

htmx.on("click", (event) => {
  const pressed = event.target.closest?.("[data-module]");
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey) return;
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

function clear(kind) {
  const gone = sent.cards.filter((card) => card.matches(kind));
  gone.forEach((card) => card.remove());
  if (gone.length) using("pictures", ({ update }) => update());
}

// The server keeps the good pictures of a refused message, as cards of its own.
htmx.on("kept", () => clear(".preview"));

htmx.on("htmx:afterRequest", ({ detail: { elt, successful } }) => {
  if (elt !== form() || !successful) return;
  clear("li");
  renewals = 0;
  const { value } = text();
  if (value.startsWith(sent.text)) text().value = value.slice(sent.text.length); // what was written meanwhile
  htmx.trigger(text(), "input");
  if (!isTouched) text().focus();
});

// After a login in another tab.
htmx.on("renewed", ({ detail, target }) => {
  document.getElementsByName("csrfmiddlewaretoken").forEach((field) => (field.value = detail.value));
  if (target === form() && !renewals++) setTimeout(() => form().requestSubmit());
});

htmx.on("htmx:responseError", ({ detail }) => {
  if (detail.xhr.getResponseHeader("HX-Retarget") || renewals === 1) return;
  const { dataset } = form();
  say(dataset[detail.xhr.status] ?? dataset.failed);
});

htmx.on("htmx:sendError", sayOffline);

if (text()) grow();
if (text() && localStorage.length) import("./drafts.js");
if (cards().length) using("pictures", ({ update }) => update());
for (const { files } of document.getElementsByName("images")) if (files.length) attach([...files]); // before this script
