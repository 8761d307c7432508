// A cloud, and one neuron or two, drawn as arrows, that learn from one point a step; their lengths.
const TOP = 1e6, INK = [BLUE, RED], R = spec.reach;

// ---- the rules, as in aecourse/neurons.py: w (d, D), x (N, D), each returns new w ---------------
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const length = row => Math.hypot(...row);
const learn = (w, x, eta, feels) => {  // w + eta <y x - (y y^T, where neuron k feels neuron j) w>
  const y = x.map(input => w.map(row => dot(row, input)));  // (N, d)
  const mean = of => x.reduce((sum, _, n) => sum + of(n), 0) / x.length;
  const drift = (k, i) => mean(n => y[n][k] * x[n][i])
    - w.reduce((sum, row, j) => sum + (feels(k, j) ? mean(n => y[n][k] * y[n][j]) * row[i] : 0), 0);
  return w.map((row, k) => row.map((weight, i) => weight + eta * drift(k, i)));
};
const rules = {
  hebb: (w, x, eta) => learn(w, x, eta, () => false),
  oja: (w, x, eta) => learn(w, x, eta, (k, j) => k === j),
  flipped: (w, x, eta) => rules.oja(w, x, -eta),
  minor: (w, x, eta) => rules.oja(w, x, -eta).map((row, k) =>
    row.map((weight, i) => weight + eta * (1 - dot(w[k], w[k])) * w[k][i])),
  subspace: (w, x, eta) => learn(w, x, eta, () => true),
  sanger: (w, x, eta) => learn(w, x, eta, (k, j) => j <= k),
};
const CHOICES = {  // name, formula, neurons, the axis that each is measured by
  hebb: ["Hebb", "w ← w + η y x", [0]],
  oja: ["Oja", "w ← w + η (y x − y² w)", [0]],
  flipped: ["Oja, sign flipped", "w ← w − η (y x − y² w), which does not hold |w|", [1]],
  minor: ["minor component", "w ← w − η (y x − y² w) + η (1 − |w|²) w", [1]],
  subspace: ["subspace, 2 neurons", "W ← W + η (y xᵀ − y yᵀ W)", [0, 0]],
  sanger: ["Sanger, 2 neurons", "W ← W + η (y xᵀ − tril[y yᵀ] W)", [0, 1]],
};

// ---- what is going on -------------------------------------------------------------------------
let rule = "oja", eta = 0.01, w, t, path, every, gone, used, order = [], held = 0, running = false;
const begin = from => {  // anew at weights w
  w = from.map(row => [...row]);
  t = 0; every = 1; gone = false; used = null; path = [[0, w]];
};
const step = () => {
  if (gone) return;
  if (!order.length) {  // all points once, in random order
    order = spec.points.map((_, n) => n);
    for (let n = order.length - 1; n > 0; n--) {
      const m = Math.floor(Math.random() * (n + 1));
      [order[n], order[m]] = [order[m], order[n]];
    }
  }
  used = spec.points[order.pop()];
  const next = rules[rule](w, [used], eta);
  t++;
  gone = !next.every(row => length(row) < TOP);  // NaN too
  if (next.flat().every(Number.isFinite)) w = next;
  if (t % every === 0 || gone) path.push([t, w]);
  if (path.length > 3000) { path = path.filter((_, n) => n % 2 === 0); every *= 2; }
};

// ---- the plane --------------------------------------------------------------------------------
const map = fine(SIZE, {tabindex: 0, role: "application", "aria-label": "A cloud of points and " +
  "the weights w as an arrow. Arrow keys move w; 1 and 2 choose the neuron they move."});
const ground = fine(SIZE), plot = fine(256, {role: "img"});
const at = plane(R);
const centred = (pen, text, x, y, colour) => {  // and whole, also near the border
  pen.font = "bold 32px sans-serif";
  const half = pen.measureText(text).width / 2 + 8;
  write(pen, text, clamp(x, half, 2 * SIZE - half), y, colour, "center");
};
const paintGround = () => {
  const pen = ground.getContext("2d");
  dots(pen, spec.points.map(at));
  pen.setLineDash([6, 8]);
  Object.assign(pen, {strokeStyle: "black", lineWidth: 2});
  pen.beginPath();
  pen.arc(SIZE, SIZE, SIZE / R, 0, 7);
  pen.stroke();
  spec.axes.forEach(([x, y], k) => {
    const end = s => at([s * R * x, s * R * y]), far = 0.85 / Math.max(Math.abs(x), Math.abs(y));
    line(pen, [end(-2), end(2)], "black", 2, [14, 10]);
    const [u, v] = end(far);  // the name stands beside its line
    centred(pen, `PC ${k + 1}`, u + 64 * y, clamp(v + 64 * x, 24, 2 * SIZE - 24));
  });
  centred(pen, "|w| = 1", SIZE, SIZE * (1 + 1 / R) + 24, "#444");
};
const tip = row => {  // where the arrow ends: at the border if it is longer
  const out = Math.max(1, Math.max(...row.map(Math.abs)) / R / 0.96);
  return [at(row.map(v => v / out)), out > 1];
};
const arrow = (pen, k) => {
  const [[x, y], out] = tip(w[k]), turn = Math.atan2(y - SIZE, x - SIZE);
  const far = Math.hypot(x - SIZE, y - SIZE), head = Math.min(34, far);
  const point = (r, a) => [SIZE + r * Math.cos(turn + a), SIZE + r * Math.sin(turn + a)];
  line(pen, [[SIZE, SIZE], point(far - head / 2, 0)], INK[k], 10);
  pen.fillStyle = INK[k];
  pen.beginPath();
  for (const corner of [[x, y], point(far - head, 0.5 * head / Math.max(far - head, head)),
    point(far - head, -0.5 * head / Math.max(far - head, head))]) pen.lineTo(...corner);
  pen.fill();
  const [u, v] = point(far + 34, 0), name = w.length > 1 ? `w${k + 1}` : "w";
  const says = gone && length(w[k]) > 1e3 ? "> 1,000,000" : "= " + short(length(w[k]));
  const low = 2 * SIZE - 30 - 40 * (w.length - 1 - k);
  if (out) write(pen, `|${name}| ${says}`, 16, low, INK[k]);
  else centred(pen, name, u, clamp(v, 24, 2 * SIZE - 24), INK[k]);
};
const paintMap = () => {
  const pen = map.getContext("2d");
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  pen.drawImage(ground, 0, 0);
  if (used && !running) {
    Object.assign(pen, {fillStyle: "#e69f00", strokeStyle: "black", lineWidth: 2});
    pen.beginPath();
    pen.arc(...at(used), 11, 0, 7);
    pen.fill();
    pen.stroke();
  }
  const far = 4 * R, inside = v => at(v.map(a => clamp(a, -far, far)));
  w.forEach((_, k) => {
    pen.globalAlpha = 0.6;
    line(pen, [...path.map(([, v]) => inside(v[k])), inside(w[k])], INK[k], 4);
    pen.globalAlpha = 1;
  });
  w.forEach((_, k) => arrow(pen, k));
};

// ---- the lengths over the steps ---------------------------------------------------------------
const short = v => v >= 1e3 ? Math.round(v).toLocaleString("en-US")
  : v < 0.1 ? String(Number(v.toPrecision(2))) : v.toFixed(2);
const paintPlot = () => {
  const pen = plot.getContext("2d"), {width, height} = plot, left = 164, right = width - 16;
  const top = 26, base = height - 58, power = 10 ** Math.floor(Math.log10(Math.max(t, 100)));
  const last = [1, 2, 5, 10].map(v => v * power).find(v => v >= Math.max(t, 100));
  const across = n => left + (right - left) * n / last;
  const up = v => base - (base - top) * clamp((Math.log10(v) + 3) / 9, 0, 1);
  pen.clearRect(0, 0, width, height);
  for (const v of [1e-3, 1, 1e3, 1e6]) {
    const [colour, dashes] = v === 1 ? ["black", [14, 10]] : ["#ddd", []];
    line(pen, [[left, up(v)], [right, up(v)]], colour, 2, dashes);
    write(pen, v.toLocaleString("en-US"), left - 12, up(v), "black", "right");
  }
  for (const [n, align] of [[0, "left"], [last, "right"]])
    write(pen, n.toLocaleString("en-US"), across(n), base + 32, "black", align);
  centred(pen, "step", (left + right) / 2, base + 32);
  w.forEach((_, k) => {
    const points = [...path, [t, w]].map(([n, v]) => [across(n), up(length(v[k]))]);
    if (gone) points.push([across(t), up(length(w[k]) > 1e3 ? TOP : length(w[k]))]);
    line(pen, points, INK[k], 6);
  });
};

// ---- words and the whole ----------------------------------------------------------------------
const degrees = (a, b) => {
  const cos = Math.min(1, Math.abs(dot(a, b)) / length(a) / length(b));
  const angle = Math.round(Math.acos(cos) * 180 / Math.PI);
  return [`${angle} degree${angle === 1 ? "" : "s"}`, cos.toFixed(3)];
};
const told = (row, k) => {
  const axis = CHOICES[rule][2][k], [angle, cos] = degrees(row, spec.axes[axis]);
  if (!length(row)) return "|w| = 0, and a neuron that never answers never learns";
  return `|w| = ${short(length(row))}, ${angle} from PC ${axis + 1}, |cos| = ${cos}`;
};
const show = () => {
  const each = w.map((row, k) => (w.length > 1 ? `neuron ${k + 1} ` : "") + told(row, k));
  if (w.length > 1) each.push(`${degrees(...w)[0]} between the two`);
  const why = {
    hebb: "nothing in Hebb's rule holds it",
    flipped: "with the sign flipped, a length above 1 is pushed further up",
    minor: "the step is too large, or the variance along w is above 1",
  }[rule] ?? "the step is too large for these points";
  words.textContent = gone
    ? `step ${t}: stopped, |w| has passed 1,000,000: ${why}. Reset, or set w anew.`
    : `step ${t}: ${each.join("; ")}`;
  plot.setAttribute("aria-label", `The length of w over ${t} steps, on a log axis from 0.001 to ` +
    `1,000,000: now ${gone ? "above 1,000,000" : w.map(row => short(length(row))).join(" and ")}.`);
  paintMap();
  paintPlot();
};
const pause = () => {
  running = false;
  button.textContent = "run";
  words.setAttribute("aria-live", "polite");
  show();
};
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const later = () => calm() ? setTimeout(frame, 1000) : requestAnimationFrame(frame);
const frame = () => {
  if (!running || !root.isConnected) return;
  for (let n = 0; n < (calm() ? 100 : 4); n++) step();
  if (gone) return pause();
  show();
  later();
};
const run = () => {
  if (gone) begin(spec.start.slice(0, w.length));
  running = true;
  button.textContent = "pause";
  words.setAttribute("aria-live", "off");  // not each step is to be spoken, but the last
  later();
};
const reset = () => { begin(spec.start.slice(0, CHOICES[rule][2].length)); pause(); };
const set = row => {
  const next = w.map((old, k) => k === held ? row : old);
  begin(next);
  show();
};
dragged(map, (x, y, event) => {
  const place = [2 * SIZE * x, 2 * SIZE * y];
  if (event.type === "pointerdown") {  // the neuron whose arrow ends nearer
    const far = w.map(row => Math.hypot(...tip(row)[0].map((v, i) => v - place[i])));
    held = far.indexOf(Math.min(...far));
  }
  set([R * (2 * clamp(x, 0, 1) - 1), R * (1 - 2 * clamp(y, 0, 1))]);
});
map.addEventListener("keydown", event => {
  const move = ARROWS[event.key];
  if (move) {
    event.preventDefault();
    set(w[held].map((v, i) => clamp(v + move[i] * R / 25, -R, R)));
  } else if (["1", "2"].includes(event.key)) held = Math.min(event.key - 1, w.length - 1);
});

const button = make("button", {type: "button", onclick: () => running ? pause() : run()}, "run");
button.style.minWidth = "5em";
const once = make("button", {type: "button", onclick: () => { step(); pause(); }}, "one step");
const formula = make("div");
const choice = make("select", {oninput: () => {
  rule = choice.value;
  held = 0;
  formula.textContent = CHOICES[rule][1];
  begin(CHOICES[rule][2].map((_, k) => gone || !w[k] ? spec.start[k] : w[k]));
  show();
}}, ...Object.entries(CHOICES).map(([value, [name]]) => make("option", {value}, name)));
choice.value = rule;
formula.textContent = CHOICES[rule][1];
const size = range("step size η", -3, 0, -2, v => { eta = 10 ** v; sized(); }, 0.05);
const sized = () => {
  size.querySelector("output").textContent = Number(eta.toPrecision(2));
  size.querySelector("input").setAttribute("aria-valuetext", Number(eta.toPrecision(2)));
};
sized();
const side = make("div", {class: "side"}, make("label", {}, make("span", {}, "rule"), choice),
  formula, size, make("div", {class: "row"}, button, once,
    make("button", {type: "button", onclick: reset}, "reset")),
  make("div", {}, "length |w| of the weights, log axis"), plot);
for (const part of [...side.children].slice(0, 4)) part.style.marginBottom = "8px";
root.append(make("div", {class: "row"},
  make("div", {}, make("div", {}, "weights w on the cloud: click or drag to set w"), map), side),
  words, make("p", {}, spec.says));
root.figure = {  // for tests
  step: (name, weights, x, rate) => rules[name](weights, x, rate),
  state: () => ({rule, eta, w, t, gone, running, path}),
};
begin(spec.start.slice(0, 1));
paintGround();
show();
