// Pictures beside the text, each a card: `attachments` in it is the uuid of a stored one, or empty for the next file.

const part = (id) => document.getElementById(id);

function addCard(file) {
  const item = document.importNode(part("preview").content, true).firstElementChild;
  const [image, label] = item.children;
  item.file = file;
  image.addEventListener("error", () => {
    image.hidden = true;
    label.textContent = file.name; // of a format that the server alone can read
  });
  image.src = URL.createObjectURL(file);
  image.alt = file.name;
  part("previews").append(item);
}

export function add(files) {
  files.forEach(addCard);
  update();
}

// The files of the form follow the cards, and each button says what it does to which picture.
export function update() {
  const all = new DataTransfer();
  const items = [...part("previews").children];
  items.forEach((item, index) => {
    if (item.file) all.items.add(item.file);
    const name = item.querySelector("img").alt;
    for (const button of item.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.title} ${name} (${index + 1}/${items.length})`);
    }
  });
  const [picker, camera] = document.getElementsByName("images");
  picker.files = all.files;
  camera.value = "";
}

export function press(pressed) {
  if ("take" in pressed.dataset) return take(pressed);
  const item = pressed.closest("li");
  const { by } = pressed.dataset;
  if (by < 0) item.previousElementSibling?.before(item);
  else if (by) item.nextElementSibling?.after(item);
  else item.remove();
  update();
  (by ? pressed : part("text")).focus();
}

// A picture of the conversation comes into the message, and with it a model that can change it.
async function take(link) {
  await htmx.ajax("GET", link.href, { source: "#model", target: "#composer-notice" });
  update();
  part("text").focus();
}

htmx.on("htmx:xhr:progress", ({ detail, target }) => {
  const bar = part("uploaded");
  if (target.id !== "composer" || !detail.lengthComputable) return;
  bar.value = detail.loaded / detail.total;
  bar.nextElementSibling.textContent = `${Math.round(bar.value * 100)} %`;
});
