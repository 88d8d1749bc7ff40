// Attached texts: files, and long pastes.

const part = (id) => document.getElementById(id);
const LARGEST = 4_000_000; // bytes

let pasted = "";

function addCard(name, value) {
  const item = part("text-card").content.cloneNode(true).firstElementChild;
  item.querySelector("textarea").value = value;
  item.querySelector("[name=text_names]").value = name;
  item.querySelector(".name").textContent = name;
  item.querySelector(".length").textContent = value.length.toLocaleString(document.documentElement.lang);
  const remove = item.querySelector(".remove");
  remove.ariaLabel = `${remove.title} ${name}`;
  part("texts").append(item);
}

export async function read(files) {
  const refused = [];
  for (const file of files) {
    try {
      if (file.size > LARGEST) throw new RangeError();
      addCard(file.name, new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()));
    } catch {
      refused.push(`“${file.name}”`);
    }
  }
  return refused.length && `${refused.join(", ")}: ${part("composer").dataset.notUsable}`;
}

export function offer(text) {
  pasted = text.replace(/\r\n?/g, "\n");
  part("paste-offer").hidden = false;
}

export function press(pressed) {
  const text = part("text");
  if (pressed.matches(".remove")) pressed.closest("li").remove();
  else {
    part("paste-offer").hidden = true;
    addCard(`pasted-${part("texts").children.length + 1}.txt`, pasted);
    text.value = text.value.replace(pasted, () => "");
    htmx.trigger(text, "input");
  }
  text.focus();
}

htmx.on("input", ({ target }) => {
  if (target === part("text") && !target.value.includes(pasted)) part("paste-offer").hidden = true;
});
