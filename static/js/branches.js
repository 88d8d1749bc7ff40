// Branches: another one takes the place of a message and of all that follows it, and forms open under a message. And the
// line where the model's memory begins, which depends on the branch.

const COUNTS = 'article[data-role="assistant"]:not([data-status="pending"], [data-status="streaming"], [data-status="failed"])';
const part = (id) => document.getElementById(id);

// It stands where it began for the newest reply.
function remember() {
  const from = [...document.querySelectorAll(COUNTS)].at(-1)?.dataset.memoryFrom;
  const first = from && part("transcript").querySelector(`[data-depth="${from}"]`);
  if (part("later")) return; // the newest reply is not on this page
  part("memory").hidden = !first;
  if (first) first.before(part("memory"));
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
    document.dispatchEvent(new Event("chat:switched"));
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

document.addEventListener("htmx:beforeSwap", ({ detail: { xhr, target } }) => {
  const branch = xhr.getResponseHeader("X-Branch");
  if (branch) switchTo(branch, target);
});

document.addEventListener("htmx:load", ({ detail: { elt } }) => elt.matches(COUNTS) && remember());
document.addEventListener("keydown", (event) => event.key === "Escape" && dismiss(event));
document.addEventListener("click", (event) => event.target.closest?.("[data-dismiss]") && dismiss(event));
