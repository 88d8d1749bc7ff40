// Branches: another one takes the place of a message and of all that follows it, and forms open under a message.

const part = (id) => document.getElementById(id);

// The line where the memory of the newest reply begins.
function remember() {
  const from = [...document.querySelectorAll("[data-memory-from]")].at(-1)?.dataset.memoryFrom;
  const first = part("transcript").querySelector(`[data-depth="${from}"]`);
  if (part("later")) return; // the newest reply is not on this page
  part("memory").hidden = !first;
  first?.before(part("memory"));
}

// What the reader looks at stays in its place.
function switchTo(branch, target) {
  const { top } = target.getBoundingClientRect();
  part("transcript").before(part("memory"));
  part("memory").hidden = true;
  // Not by the browser's own means, which would leave streams open; from the end, since what waits heeds what runs.
  while (target.nextElementSibling) htmx.swap(target.parentElement.lastElementChild, "", { swapStyle: "delete" });
  queueMicrotask(() => {
    const article = part(`message-${branch}`);
    remember();
    article.querySelector(".body").style.contentVisibility = "visible"; // its height counts now
    part("scroller").scrollTop += article.getBoundingClientRect().top - top;
    htmx.trigger(article, "switched");
    if (document.activeElement !== document.body) return;
    article.querySelector(".siblings button:enabled")?.focus({ preventScroll: true });
  });
}

function dismiss(event) {
  const form = event.target.closest("article > .inline");
  if (!form) return;
  const words = form.elements.text;
  if (event.key && words && words.value !== words.defaultValue) return; // not by a slip of the finger
  event.preventDefault();
  const article = form.closest("article");
  form.remove();
  article.querySelector("[data-inline]").focus();
}

htmx.on("htmx:beforeSwap", ({ detail: { xhr, target } }) => {
  const branch = xhr.getResponseHeader("X-Branch");
  if (branch) switchTo(branch, target);
});

htmx.on("htmx:load", ({ detail: { elt } }) => elt.matches("[data-memory-from]") && remember());
htmx.on("keydown", (event) => event.key === "Escape" && dismiss(event));
htmx.on("click", (event) => event.target.closest?.("[data-dismiss]") && dismiss(event));
