// The part of time that is shown, and how it was reached: every lane and chart shows the same.
const view = { from: 0, to: DATA.span };
const earlier = [];
const watchers = [];
const SHORTEST = 0.5;

function show(from, to) {
  const before = [view.from, view.to];
  const length = Math.min(Math.max(to - from, SHORTEST), DATA.span);
  view.from = Math.min(Math.max(from, 0), DATA.span - length);
  view.to = view.from + length;
  if (before[0] === view.from && before[1] === view.to) return null;
  for (const watcher of watchers) watcher();
  return before;
}

function zoom(from, to) {
  const before = show(from, to);
  if (before) earlier.push(before);
  buttons();
}

function back() {
  const last = earlier.pop();
  if (last) show(...last);
  buttons();
  return Boolean(last);
}

function whole() {
  earlier.length = 0;
  show(0, DATA.span);
  buttons();
}

function buttons() {
  one('[data-do="back"]').disabled = !earlier.length;
  one('[data-do="all"]').disabled = view.from === 0 && view.to === DATA.span;
}

// Shorter (factor below 1) or longer, around the cursor or the middle.
function scale(factor) {
  const at = cursor.time === null ? (view.from + view.to) / 2 : cursor.time;
  zoom(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

function move(share) {
  const by = (view.to - view.from) * share;
  zoom(view.from + by, view.to + by);
}

// The instant that the cursor is at; null: it is nowhere.
const cursor = { time: null, watchers: [] };

function point(time) {
  cursor.time = time === null ? null : Math.min(Math.max(time, view.from), view.to);
  for (const watcher of cursor.watchers) watcher();
}
