// Branches: another one takes the place of a message and of all below it; forms open under a message.

function switchTo(branch, target) {
  const { top } = target.getBoundingClientRect();
  // By htmx, which closes streams; from the end, since what waits heeds what runs.
  while (target.nextElementSibling) htmx.swap(target.parentElement.lastElementChild, "", { swapStyle: "delete" });
  queueMicrotask(() => {
    const article = htmx.find(`#message-${branch}`);
    article.querySelector(".body").style.contentVisibility = "visible"; // its height counts now
    htmx.find("#scroller").scrollTop += article.getBoundingClientRect().top - top;
    htmx.trigger(article, "switched");
    if (document.activeElement !== document.body) return;
    article.querySelector(".siblings button:enabled")?.focus({ preventScroll: true });
  });
}

function dismiss(event) {
  const form = event.target.closest("article > .inline");
  if (!form) return;
  const words = form.elements.text;
  if (event.key && words?.value !== words?.defaultValue) return; // not by a slip of the finger
  event.preventDefault();
  const article = form.closest("article");
  form.remove();
  article.querySelector("[data-inline]").focus();
}

htmx.on("htmx:beforeSwap", ({ detail: { xhr, target } }) => {
  const branch = xhr.getResponseHeader("X-Branch");
  if (branch) switchTo(branch, target);
});

htmx.on("keydown", (event) => event.key === "Escape" && dismiss(event));
htmx.on("click", (event) => event.target.closest?.("[data-dismiss]") && dismiss(event));
