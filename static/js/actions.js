// What is done with a message now and then: copy it, read it aloud.

const CHUNKS = /.{1,200}(?=\s|$)|.{1,200}/gu; // some voices fall silent in the middle of longer texts

// The text, or the Markdown as a promise: Safari wants the clipboard asked within the click.
async function copy(button) {
  const place = button.closest(".code")?.querySelector("pre") ?? button.closest("article").querySelector("[data-body]");
  try {
    const { clipboard } = navigator;
    if (button.href) await clipboard.write([new ClipboardItem({ "text/plain": fetch(button.href).then(plain) })]);
    else await clipboard.writeText(place.innerText.trimEnd());
  } catch {
    // Not allowed (plain http): the source opens, or what is selected can be copied by key.
    if (button.href) location.assign(button.href);
    else getSelection().selectAllChildren(place);
    return;
  }
  const announcer = document.getElementById("announcer");
  announcer.textContent = announcer.dataset.copied;
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
}

async function plain(response) {
  if (!response.ok) throw response;
  return new Blob([await response.text()], { type: "text/plain" });
}

function stop() {
  speechSynthesis.cancel();
  document.querySelector('[data-act][aria-pressed="true"]')?.setAttribute("aria-pressed", "false");
}

// Reads line by line, without code, which is of no use to the ear.
function speak(button) {
  const isSpeaking = button.ariaPressed === "true";
  stop();
  if (isSpeaking) return;
  const body = button.closest("article").querySelector("[data-body]");
  const code = [...body.querySelectorAll("pre")].flatMap((pre) => pre.innerText.split("\n"));
  const lines = body.innerText.split("\n").filter((line) => line.trim() && !code.includes(line));
  for (const text of [...lines.flatMap((line) => line.match(CHUNKS)), ""]) {
    const utterance = new SpeechSynthesisUtterance(text);
    if (!text) utterance.onend = () => button.setAttribute("aria-pressed", "false");
    speechSynthesis.speak(utterance);
  }
  button.setAttribute("aria-pressed", "true");
}

addEventListener("pagehide", stop);

export function act(button) {
  ({ copy, speak })[button.dataset.act](button);
}
