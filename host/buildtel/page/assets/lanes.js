// The lanes of bars: they follow the zoom, show the cursor, are dragged on to zoom, and are walked by arrows.
const SVG = "http://www.w3.org/2000/svg";
const bars = all(".bar").map((link) => ({
  link, box: one("svg", link), start: Number(link.dataset.s), length: Number(link.dataset.d), lane: link.parentNode,
}));
const paths = all(".path, .slice").map((box) => ({ box, start: Number(box.dataset.s), length: Number(box.dataset.d) }));
const THINNEST = 0.12;

function place({ box, start, length }) {
  const span = view.to - view.from;
  const outside = start + length < view.from || start > view.to;
  const left = Math.max((start - view.from) / span, 0);
  const right = Math.min((start + length - view.from) / span, 1);
  box.setAttribute("display", outside ? "none" : "inline");
  if (outside) return;
  box.setAttribute("x", `${(100 * left).toFixed(3)}%`);
  box.setAttribute("width", `${Math.max(100 * (right - left), THINNEST).toFixed(3)}%`);
}

function drawMarks() {
  const span = view.to - view.from;
  const at = marks(view.from, view.to, innerWidth < 700 ? 4 : 10);
  const percent = (time) => `${((100 * (time - view.from)) / span).toFixed(3)}%`;
  for (const axis of all(".marks")) {
    axis.replaceChildren(...at.map((time) => svg("text", mark(time, percent), clock(time, span))));
  }
  for (const grid of all(".lanes > .grid")) {
    grid.replaceChildren(...at.map((time) => svg("line", { x1: percent(time), x2: percent(time), y1: 0, y2: "100%" })));
  }
}

// The last mark ends where the axis ends.
function mark(time, percent) {
  const late = (time - view.from) / (view.to - view.from) > 0.95;
  return { x: percent(time), y: 12, "text-anchor": late ? "end" : "start" };
}

function svg(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function drawLanes() {
  for (const bar of bars) place(bar);
  for (const path of paths) place(path);
  drawMarks();
  one("#time").dataset.shown = `${view.from} ${view.to}`;
}

const plots = all(".timeline .group:not(.strip) > .plot");
const lines = plots.map((plot) => plot.appendChild(element("div", { class: "cursor", hidden: "" })));

function drawCursor() {
  const share = cursor.time === null ? null : (cursor.time - view.from) / (view.to - view.from);
  for (const line of lines) {
    line.hidden = share === null;
    if (share !== null) line.style.left = `${100 * share}%`;
  }
  one("#at").textContent = cursor.time === null ? "" : `${clock(cursor.time, view.to - view.from)}  ${running()}`;
}

// What runs at the cursor, a name for each lane.
function running() {
  const found = bars.filter(({ start, length }) => start <= cursor.time && cursor.time < start + length);
  return found.map(({ link }) => one("text", link).textContent).slice(0, 6).join(" · ");
}

function timeAt(plot, event) {
  const box = plot.getBoundingClientRect();
  return view.from + ((event.clientX - box.left) / box.width) * (view.to - view.from);
}

function draggable(plot) {
  let begun = null;
  const chosen = plot.appendChild(element("div", { class: "chosen", hidden: "" }));
  plot.addEventListener("pointerdown", (event) => {
    if (event.button === 0) begun = event.clientX;
  });
  plot.addEventListener("pointermove", (event) => {
    point(timeAt(plot, event));
    if (begun === null || Math.abs(event.clientX - begun) < 5) return;
    plot.setPointerCapture(event.pointerId);
    const box = plot.getBoundingClientRect();
    chosen.hidden = false;
    chosen.style.left = `${Math.min(begun, event.clientX) - box.left}px`;
    chosen.style.width = `${Math.abs(event.clientX - begun)}px`;
  });
  plot.addEventListener("pointerup", (event) => {
    if (!chosen.hidden) {
      const times = [timeAt(plot, { clientX: begun }), timeAt(plot, event)];
      plot.addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => plot.removeEventListener("click", stop, { capture: true }));
      zoom(Math.min(...times), Math.max(...times));
    }
    chosen.hidden = true;
    begun = null;
  });
  plot.addEventListener("pointercancel", () => { chosen.hidden = true; begun = null; });
  plot.addEventListener("pointerleave", () => { if (begun === null) point(null); });
  plot.addEventListener("dragstart", (event) => event.preventDefault());
  plot.addEventListener("dblclick", whole);
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

// One bar takes part in the order of Tab; arrows go from bar to bar.
function walkable() {
  bars.forEach(({ link }, at) => link.setAttribute("tabindex", at ? "-1" : "0"));
  for (const bar of bars) {
    bar.link.addEventListener("keydown", (event) => {
      const next = NEXT[event.key] && NEXT[event.key](bar);
      if (!next) return;
      event.preventDefault();
      for (const { link } of bars) link.setAttribute("tabindex", "-1");
      next.link.setAttribute("tabindex", "0");
      reveal(next);
      next.link.focus();
    });
    bar.link.addEventListener("focus", () => point(bar.start + bar.length / 2));
  }
}

function reveal({ start, length }) {
  if (start + length < view.from || start > view.to) {
    const half = (view.to - view.from) / 2;
    show(start + length / 2 - half, start + length / 2 + half);
  }
}

const along = (bar, step) => {
  const lane = bars.filter((other) => other.lane === bar.lane);
  return lane[lane.indexOf(bar) + step];
};
const across = (bar, step) => {
  const lanes = [...new Set(bars.map(({ lane }) => lane))];
  const lane = lanes[lanes.indexOf(bar.lane) + step];
  const near = bars.filter((other) => other.lane === lane);
  const far = (other) => Math.abs(other.start + other.length / 2 - bar.start - bar.length / 2);
  return near.sort((a, b) => far(a) - far(b))[0];
};
const NEXT = {
  ArrowRight: (bar) => along(bar, 1), ArrowLeft: (bar) => along(bar, -1),
  ArrowDown: (bar) => across(bar, 1), ArrowUp: (bar) => across(bar, -1),
};
