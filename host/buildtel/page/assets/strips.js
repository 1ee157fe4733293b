// The charts below the lanes, one canvas each; all show the same part of time and have the same cursor.
const GUTTER = 46;
const HEIGHTS = { few: 84, many: 104 }; // by the number of lines, whose values stand beside the chart
const charts = [];

const heightOf = (chart) => (chart.lines.length > 3 ? HEIGHTS.many : HEIGHTS.few);

// Each line upon the sum of those below it.
function stacked(columns) {
  const sums = [];
  return columns.map((column) => column.map((value, at) => {
    if (value === null) return null;
    sums[at] = (sums[at] || 0) + value;
    return sums[at];
  }));
}

function build(strip) {
  const machine = DATA.machines[strip.dataset.machine];
  const chart = machine.charts[strip.dataset.chart];
  const values = chart.lines.map((line) => line.values);
  const drawn = chart.stacked ? stacked(values) : values;
  // Of a stack the highest is drawn first, so that the lower ones cover its foot.
  const order = drawn.map((_, at) => at);
  if (chart.stacked) order.reverse();
  const plot = one(".plot", strip);
  const made = new uPlot(
    options(chart, order, plot), [machine.times, ...order.map((at) => drawn[at])], plot,
  );
  charts.push({ made, plot, machine, chart, spans: all(".value", strip), shown: null });
}

function options(chart, order, plot) {
  return {
    width: plot.clientWidth, height: heightOf(chart), legend: { show: false }, pxAlign: 0,
    padding: [6, 0, 4, 0],
    cursor: { x: true, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 },
      bind: { dblclick: () => whole } },
    scales: { x: { time: false, auto: false, range: () => [view.from, view.to] },
      y: { auto: true, range: (self, low, high) => [0, chart.top || Math.max(high || 0, 0.01) * 1.05] } },
    axes: [
      { show: false },
      { size: GUTTER, gap: 2, stroke: () => colour("soft"), font: "11px system-ui, sans-serif", space: 24,
        grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false } },
    ],
    series: [{}, ...order.map((at) => series(chart.lines[at], chart.stacked))],
    hooks: { setSelect: [selected], setCursor: [pointed], drawClear: [drawGrid] },
  };
}

function series(line, filled) {
  return {
    label: line.label, width: filled ? 0 : 1.5, points: { show: false }, paths: uPlot.paths.stepped({ align: -1 }),
    stroke: () => colour(line.colour), fill: filled ? () => colour(line.colour) : undefined,
  };
}

// Lines at the marks of the axis above.
function drawGrid(self) {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.strokeStyle = colour("grid");
  ctx.beginPath();
  for (const time of marks(view.from, view.to, innerWidth < 700 ? 4 : 10)) {
    const x = self.valToPos(time, "x", true);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

function selected(self) {
  const { left, width } = self.select;
  if (width > 4) {
    zoom(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
    for (const { made } of charts) made.setSelect({ left: 0, width: 0 }, false);
  }
}

let mover = null; // the chart that the pointer is on
function pointed(self) {
  if (!self.cursor.event) return;
  mover = self;
  point(self.cursor.left >= 0 ? self.posToVal(self.cursor.left, "x") : null);
  mover = null;
}

// The place in `times` of the value that holds at an instant: that of the stretch which ends at or after it.
function placeOf(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function tellValues() {
  for (const { made, plot, machine, chart, spans } of charts) {
    const at = cursor.time === null ? -1 : placeOf(machine.times, cursor.time);
    const texts = chart.lines.map((line) => {
      const value = line.values[at];
      return value === undefined || value === null ? "" : `${value} ${chart.unit}`;
    });
    spans.forEach((span, line) => { span.textContent = texts[line]; });
    if (plot === document.activeElement) tellSlider(plot, chart, texts);
    const left = cursor.time === null ? -10 : made.valToPos(cursor.time, "x");
    if (made !== mover) made.setCursor({ left, top: 0 }, false);
  }
}

function tellSlider(plot, chart, texts) {
  const named = texts.map((text, line) => `${chart.lines[line].label} ${text || "unknown"}`);
  plot.setAttribute("aria-valuenow", Math.round(cursor.time));
  plot.setAttribute("aria-valuetext", `${clock(cursor.time, view.to - view.from)}: ${named.join(", ")}`);
}

function drawCharts() {
  for (const { made } of charts) made.setScale("x", { min: view.from, max: view.to });
}

function resizeCharts() {
  for (const { made, plot, chart } of charts) {
    if (made.width !== plot.clientWidth) made.setSize({ width: plot.clientWidth, height: heightOf(chart) });
    else made.redraw(false, true);
  }
}

// A chart takes part in the order of Tab: arrows move the cursor, also past the ends of what is shown.
function walkCharts() {
  for (const { plot } of charts) {
    const range = { role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": Math.round(DATA.span), "aria-valuenow": 0 };
    for (const [name, value] of Object.entries(range)) plot.setAttribute(name, value);
    plot.addEventListener("focus", () => point(cursor.time === null ? (view.from + view.to) / 2 : cursor.time));
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const by = ((view.to - view.from) / (event.shiftKey ? 10 : 100)) * step;
      const from = cursor.time === null ? (view.from + view.to) / 2 : cursor.time;
      if (from + by < view.from || from + by > view.to) show(view.from + by, view.to + by);
      point(from + by);
    });
  }
}
