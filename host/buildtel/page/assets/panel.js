// The panel with the details of one entry: what a click or Enter on a bar or a row of the table opens.
const panel = document.body.appendChild(element("section", { id: "panel", role: "dialog", tabindex: "-1", hidden: "" }));
let opener = null;

function open(link) {
  const source = document.getElementById(link.getAttribute("href").slice(1));
  if (!source) return;
  const bar = bars.find((bar) => bar.link === link)
    || bars.find((bar) => bar.link.getAttribute("href") === link.getAttribute("href"));
  const copy = source.cloneNode(true);
  copy.removeAttribute("id");
  const buttons = element("div", { class: "buttons" });
  const close = buttons.appendChild(element("button", { type: "button" }, "close (Esc)"));
  close.addEventListener("click", closePanel);
  if (bar) {
    const near = buttons.appendChild(element("button", { type: "button" }, "zoom to it"));
    const margin = Math.max(bar.length * 0.05, SHORTEST);
    near.addEventListener("click", () => zoom(bar.start - margin, bar.start + bar.length + margin));
  }
  panel.setAttribute("aria-label", source.dataset.name);
  panel.replaceChildren(buttons, element("h2", {}, source.dataset.name), copy);
  panel.hidden = false;
  beside(true);
  opener = link;
  panel.focus();
}

function closePanel() {
  if (panel.hidden) return false;
  panel.hidden = true;
  beside(false);
  if (opener) opener.focus();
  return true;
}

// The rest of the page makes room for the panel where there is some.
function beside(there) {
  document.documentElement.classList.toggle("opened", there);
  if (one(".timeline")) redraw();
}

function openable() {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && closePanel()) stop(event);
  }, { capture: true });
  for (const link of all(".bar, .sortable tbody th a")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(link);
    });
  }
}
