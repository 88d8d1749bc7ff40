// The composer: keys, growth, pictures by paste, drop and dialog, and a sentence where sending did not work.
// All listeners are on the document: htmx replaces the form when a conversation begins.

const isTouched = matchMedia("(pointer: coarse)");
const growsByItself = CSS.supports("field-sizing", "content");
const form = () => document.getElementById("composer");
const text = () => document.getElementById("text");
const picker = () => form()?.elements.images;

let chosen = []; // the pictures the next message carries, in order
let sent = ""; // the text of the request on its way

function write(value) {
  text().value = value;
  grow();
}

function grow() {
  if (growsByItself) return;
  text().style.blockSize = "auto";
  text().style.blockSize = `${text().scrollHeight}px`;
}

function say(sentence) {
  const notice = document.createElement("p");
  notice.className = "notice error";
  notice.setAttribute("role", "alert");
  notice.textContent = sentence;
  document.getElementById("composer-notice").replaceChildren(notice);
}

function choose(files) {
  chosen = [...files];
  const all = new DataTransfer();
  chosen.forEach((file) => all.items.add(file));
  picker().files = all.files;
  const list = document.getElementById("previews");
  list.replaceChildren(...chosen.map(preview));
  list.hidden = chosen.length === 0;
}

function add(files) {
  const pictures = files.filter((file) => file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name));
  if (pictures.length < files.length) say(form().dataset.notAPicture);
  else document.getElementById("composer-notice").replaceChildren();
  choose([...chosen, ...pictures]);
  text().focus();
}

function preview(file) {
  const item = document.importNode(document.getElementById("preview").content, true).firstElementChild;
  const [image, name, remove] = item.children;
  const address = URL.createObjectURL(file);
  image.addEventListener("load", () => URL.revokeObjectURL(address));
  image.addEventListener("error", () => {
    URL.revokeObjectURL(address);
    image.remove();
    name.textContent = file.name; // a format this browser cannot show; the server can read it
  });
  image.src = address;
  image.alt = file.name;
  remove.setAttribute("aria-label", `${form().dataset.remove} ${file.name}`);
  remove.addEventListener("click", () => {
    choose(chosen.filter((one) => one !== file));
    text().focus();
  });
  return item;
}

const carriesFiles = (event) => picker() && event.dataTransfer?.types.includes("Files");

document.addEventListener("input", ({ target }) => target === text() && grow());

document.addEventListener("keydown", (event) => {
  const isPlainEnter = event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing;
  if (event.target !== text() || !isPlainEnter || event.keyCode === 229 || isTouched.matches) return;
  event.preventDefault();
  if (text().value.trim() || chosen.length) form().requestSubmit(form().querySelector(".send"));
});

document.addEventListener("change", ({ target }) => {
  const hint = document.getElementById("model-hint");
  if (target === picker()) add([...target.files]);
  else if (target.id === "model" && hint) hint.textContent = target.selectedOptions[0].title;
});

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  // A copied table comes as text and as a picture of it: the text is meant.
  if (!files.length || !picker() || event.clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  add(files);
});

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  form().classList.add("dropping");
});

document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || form()?.classList.remove("dropping"));

document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  form().classList.remove("dropping");
  add([...event.dataTransfer.files]);
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt === form()) sent = text().value;
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.id !== "composer" || !detail.successful) return;
  const now = detail.elt.elements.text.value; // perhaps more was written meanwhile, perhaps in a form just replaced
  write(now.startsWith(sent) ? now.slice(sent.length) : now);
  choose([]);
  if (!isTouched.matches) text().focus();
});

// A message that was taken back: its text goes in front of what is being written.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (!elt.matches("[data-withdrawn]")) return;
  write([elt.textContent, text().value].filter(Boolean).join("\n\n"));
  text().dispatchEvent(new Event("input", { bubbles: true }));
  elt.remove();
  text().focus();
});

// An answer without a place of its own is not for the page: a proxy's error page, say.
const isPlaced = ({ xhr }) => xhr.getResponseHeader("HX-Retarget");

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.isError && !isPlaced(detail)) detail.shouldSwap = false;
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  if (isPlaced(detail)) return;
  const { tooLarge, outdated, failed } = form().dataset;
  say({ 413: tooLarge, 403: outdated, 404: outdated }[detail.xhr.status] ?? failed);
});

document.addEventListener("htmx:sendError", () => say(form().dataset.offline));

if (text()) grow();
if (picker()?.files.length) choose(picker().files); // chosen before this script came
