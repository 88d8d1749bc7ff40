// The viewer: the pictures of the page, near or far.

const dialog = htmx.find("#viewer");
const [place, save, stage, words] = dialog.querySelectorAll(".place, [download], .stage, .words");
const image = stage.firstElementChild;

let href = ""; // of the picture on show
let scale = 1;

const ZOOMS = { "+": 1.25, "=": 1.25, "-": 0.8, 0: 0 };
const links = () => [...htmx.findAll("#transcript [data-view]")];
const index = () => links().findIndex((link) => link.href === href);
const figure = () => links()[index()].closest("figure");

export function press(pressed) {
  show(pressed.closest("figure").querySelector("[data-view]"));
  dialog.showModal();
  if ("describe" in pressed.dataset) act("words");
}

function show(link) {
  href = image.src = link.href;
  save.href = `${href}?download`;
  words.replaceChildren();
  zoom(0);
  label();
}

function label() {
  image.alt = figure().querySelector("img").alt;
  place.textContent = `${index() + 1} / ${links().length} · ${image.alt}`;
}

// What is in the middle stays there.
function zoom(by) {
  const { scrollLeft, scrollTop, clientWidth, clientHeight } = stage;
  const factor = Math.min(8, Math.max(1, scale * by)) / scale;
  scale *= factor;
  image.style.inlineSize = image.style.blockSize = `${scale * 100}%`;
  const more = (factor - 1) / 2;
  stage.scrollTo(scrollLeft * factor + clientWidth * more, scrollTop * factor + clientHeight * more);
}

// By a key or the button of its name.
function act(key) {
  const onwards = document.dir === "rtl" ? -1 : 1;
  const by = { PageUp: -1, PageDown: 1, ArrowLeft: -onwards, ArrowRight: onwards }[key];
  if (by) show(links().at((index() + by) % links().length));
  if (key in ZOOMS) zoom(ZOOMS[key]);
  if (key === "words") htmx.ajax("GET", figure().querySelector("[data-describe]").href, words);
  if (key === "edit") {
    dialog.close();
    figure().querySelector("[data-take]").click();
  }
}

htmx.on(dialog, "click", ({ target }) => act(target.closest("[data-key]")?.dataset.key));

htmx.on(dialog, "keydown", (event) => {
  if (!event.target.matches("textarea") && !event.ctrlKey && !event.metaKey) act(event.key);
});

htmx.on(stage, "wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 300));
}, { passive: false });

htmx.on(words, "htmx:afterSwap", label);
