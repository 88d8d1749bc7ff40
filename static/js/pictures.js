// Pictures beside the text, each a card with the uuid of a stored one, or empty for the next file.

function addCard(file) {
  const item = document.importNode(htmx.find("#preview").content, true).firstElementChild;
  const [image, label] = item.children;
  item.file = file;
  htmx.on(image, "error", () => {
    image.hidden = true;
    label.textContent = file.name; // the server can read it
  });
  image.src = URL.createObjectURL(file);
  image.alt = file.name;
  htmx.find("#previews").append(item);
}

export function add(files) {
  files.forEach(addCard);
  update();
}

// Files follow the cards, and each button says what it does to which picture.
export function update() {
  const all = new DataTransfer();
  const items = [...htmx.find("#previews").children];
  items.forEach((item, index) => {
    if (item.file) all.items.add(item.file);
    const name = item.querySelector("img").alt;
    for (const button of item.querySelectorAll("button")) {
      button.ariaLabel = `${button.title} ${name} (${index + 1}/${items.length})`;
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
  (by ? pressed : htmx.find("#text")).focus();
}

// A picture of the conversation, and with it a model that can change it.
async function take(link) {
  await htmx.ajax("GET", link.href, { source: "#model", target: "#composer-notice" });
  update();
  htmx.find("#text").focus();
}

htmx.on("htmx:xhr:progress", ({ detail, target }) => {
  const bar = htmx.find("#uploaded");
  if (target.id !== "composer" || !detail.lengthComputable) return;
  bar.value = detail.loaded / detail.total;
  bar.nextElementSibling.textContent = `${Math.round(bar.value * 100)} %`;
});
