// Copies a message, reads it aloud.

const CHUNKS = /.{1,200}(?=\s|$)|.{1,200}/gu; // some voices fall silent in longer texts

const source = (url) => fetch(url).then((response) => (response.ok ? response.text() : Promise.reject()));

// Markdown as a promise: Safari wants the clipboard asked within the click.
async function copy(button) {
  const place = button.closest(".code, article").querySelector("pre, [data-body]");
  try {
    const { clipboard } = navigator;
    if (button.href) await clipboard.write([new ClipboardItem({ "text/plain": source(button.href) })]);
    else await clipboard.writeText(place.innerText.trimEnd());
  } catch {
    // Over plain http: the source opens, or what is selected can be copied by key.
    if (button.href) location.assign(button.href);
    else getSelection().selectAllChildren(place);
    return;
  }
  const announcer = htmx.find("#announcer");
  announcer.textContent = announcer.dataset.copied;
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
}

function stop() {
  speechSynthesis.cancel();
  htmx.find('[aria-pressed="true"]')?.setAttribute("aria-pressed", "false");
}

// Line by line, without code.
function speak(button) {
  const isSpeaking = button.ariaPressed === "true";
  stop();
  if (isSpeaking) return;
  const body = button.closest("article").querySelector("[data-body]");
  const code = [...body.querySelectorAll("pre")].flatMap((pre) => pre.innerText.split("\n"));
  const lines = body.innerText.split("\n").filter((line) => line.trim() && !code.includes(line));
  for (const text of [...lines.flatMap((line) => line.match(CHUNKS)), ""]) {
    const utterance = new SpeechSynthesisUtterance(text);
    if (!text) utterance.onend = () => (button.ariaPressed = "false");
    speechSynthesis.speak(utterance);
  }
  button.ariaPressed = "true";
}

addEventListener("pagehide", stop);

export function press(button) {
  ({ copy, speak })[button.dataset.act](button);
}
