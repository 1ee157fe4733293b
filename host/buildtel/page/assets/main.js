// Starts the page's script.
const DO = {
  in: () => scale(0.5), out: () => scale(2), earlier: () => move(-0.25), later: () => move(0.25), back, all: whole,
};
const KEYS = { "+": DO.in, "=": DO.in, "-": DO.out, "0": whole, "<": DO.earlier, ",": DO.earlier, ">": DO.later, ".": DO.later };

function listen() {
  for (const button of all("[data-do]")) button.addEventListener("click", DO[button.dataset.do]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      if (back()) event.preventDefault();
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  let waits = 0;
  addEventListener("resize", () => { cancelAnimationFrame(waits); waits = requestAnimationFrame(redraw); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  matchMedia("print").addEventListener("change", redraw);
  addEventListener("beforeprint", redraw);
  addEventListener("afterprint", redraw);
}

function redraw() {
  drawLanes();
  resizeCharts();
}

function start() {
  document.documentElement.classList.add("scripted");
  all(".sortable").forEach(sortable);
  openable();
  const line = one(".timeline");
  if (!line) return;
  for (const hidden of all(".tools, .hint", line)) hidden.hidden = false;
  plots.forEach(draggable);
  walkable();
  all(".strip").forEach(build);
  walkCharts();
  watchers.push(drawLanes, drawCharts);
  cursor.watchers.push(drawCursor, tellValues);
  listen();
  redraw();
  buttons();
}

start();
