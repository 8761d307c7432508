// Codes as dots, a point to drag on them, a pen; beside them the picture that the point decodes to.
const {height: H, width: W, d, dims} = spec, [I, J] = dims, D = H * W;
const numbers = floats(spec.weights), cut = spec.decoder.reduce((n, [r, c]) => n + r * (c + 1), 0);
const decode = network(spec.decoder, numbers);
const encode = network(spec.encoder, numbers.subarray(cut));
const z = Float32Array.from(spec.start), logvar = new Float32Array(d).fill(-Infinity);
let input = null, clean = null, images = null, base = null, strokes = [], samples = [], noise = 0, erased = 0;
let noisy = Float32Array.from({length: D}, normal);

// ---- the map --------------------------------------------------------------------------------
const map = fine(SIZE, {tabindex: 0, role: "application", "aria-label":
  "Map of codes. Arrow keys move the point, Enter takes the image of the next dot."});
const ground = fine(SIZE);
const across = k => spec.high[k] - spec.low[k];
const place = (x, y) => [2 * SIZE * (x - spec.low[0]) / across(0),
  2 * SIZE * (spec.high[1] - y) / across(1)];
const median = a => [...a].sort((p, q) => p - q)[a.length >> 1];

const paintGround = sheet => {
  const pen = ground.getContext("2d");
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  if (sheet) {  // the decoded manifold, one tile for each step of the map
    const n = 16, tile = picture(H, W, H), at = z.slice();
    pen.fillRect(0, 0, 2 * SIZE, 2 * SIZE);
    pen.globalAlpha = 0.7;
    for (let k = 0; k < n * n; k++) {
      at[I] = spec.low[0] + across(0) * (k % n + 0.5) / n;
      at[J] = spec.high[1] - across(1) * (Math.floor(k / n) + 0.5) / n;
      tile.paint(decode(at), "");
      pen.drawImage(tile.canvas, k % n * 2 * SIZE / n, Math.floor(k / n) * 2 * SIZE / n,
        2 * SIZE / n, 2 * SIZE / n);
    }
  }
  pen.globalAlpha = 0.55;
  spec.points.forEach(([x, y], k) => {
    pen.fillStyle = spec.colours[spec.labels[k] % spec.colours.length];
    pen.beginPath();
    pen.arc(...place(x, y), 7, 0, 7);
    pen.fill();
  });
  pen.globalAlpha = 1;
  Object.assign(pen, {font: "bold 40px sans-serif", textAlign: "center", textBaseline: "middle",
    lineWidth: 9, strokeStyle: "white"});
  const taken = [];
  spec.classes.forEach((name, c) => {  // at the median of the half farther out, as plots.codes does
    const rows = spec.points.filter((_, k) => spec.labels[k] === c);
    if (!rows.length) return;
    const far = ([x, y]) => Math.hypot(x / across(0), y / across(1)), half = median(rows.map(far));
    const outer = rows.filter(row => far(row) >= half);
    let [x, y] = place(median(outer.map(p => p[0])), median(outer.map(p => p[1])));
    const wide = pen.measureText(name).width / 2 + 6;
    while (taken.some(([u, v, w]) => Math.abs(x - u) < wide + w && Math.abs(y - v) < 38)) y += 6;
    taken.push([x, y, wide]);
    pen.fillStyle = spec.colours[c % spec.colours.length];
    for (const way of ["strokeText", "fillText"])
      pen[way](name, clamp(x, wide, 2 * SIZE - wide), clamp(y, 24, 2 * SIZE - 24));
  });
  write(pen, `z${I + 1} →`, 2 * SIZE - 10, 2 * SIZE - 24, "#444", "right");
  write(pen, `z${J + 1} ↑`, 10, 24, "#444");
};
const paintMap = () => {
  const pen = map.getContext("2d"), [x, y] = place(z[I], z[J]);
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  pen.drawImage(ground, 0, 0);
  Object.assign(pen, {lineWidth: 4, strokeStyle: "black", fillStyle: "black"});
  if (input && spec.variational) {
    const [u, v] = place(mu[I], mu[J]), sigma = [I, J].map(k => Math.exp(logvar[k] / 2));
    for (const turn of [1, 2]) {
      pen.beginPath();
      pen.ellipse(u, v, turn * sigma[0] * 2 * SIZE / across(0),
        turn * sigma[1] * 2 * SIZE / across(1), 0, 0, 7);
      pen.stroke();
    }
    for (const [p, q] of samples) pen.fillRect(...place(p, q).map(a => a - 3), 6, 6);
  }
  for (const [radius, colour] of [[17, "white"], [13, "black"], [8, "#f0e442"]]) {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(clamp(x, 0, 2 * SIZE), clamp(y, 0, 2 * SIZE), radius, 0, 7);
    pen.fill();
  }
};

// ---- pictures and words ---------------------------------------------------------------------
const seen = picture(H, W, 120), made = picture(H, W, 190), mu = new Float32Array(d);
const caption = make("div"), bars = make("div"), hint = make("p", {}, spec.pen);
const bar = (name, nats, colour) => {
  const box = make("span");
  box.style.cssText = `display: inline-block; height: 14px; background: ${colour}; ` +
    `width: ${clamp(nats, 0, 320) / 2}px`;
  return make("div", {}, box, ` ${name} ${nats.toFixed(1)} nats`);
};
const peek = k => {  // the image of dot k, while the pointer is on it; else what the network sees
  caption.textContent = k === null ? "network sees" : "image of the dot";
  if (k !== null) seen.paint(images.subarray(k * D, (k + 1) * D), "The image of the dot under the pointer");
  else seen.paint(input ?? new Float32Array(D), input ? "What the network sees" : "Nothing is drawn");
};
const show = () => {  // errors are those to the picture before noise and eraser
  const x_hat = decode(z), at = `z${I + 1} = ${z[I].toFixed(2)}, z${J + 1} = ${z[J].toFixed(2)}`;
  made.paint(x_hat, `Decoded picture at ${at}`);
  let said = at;
  bars.replaceChildren();
  if (input) {
    let error = 0, nats = 0, kl = 0;
    for (let k = 0; k < D; k++) {
      const p = clamp(x_hat[k], 1e-7, 1 - 1e-7);
      error += (clean[k] - x_hat[k]) ** 2;
      nats -= clean[k] * Math.log(p) + (1 - clean[k]) * Math.log(1 - p);
    }
    for (let k = 0; k < d; k++) kl += (mu[k] ** 2 + Math.exp(logvar[k]) - 1 - logvar[k]) / 2;
    said += `; squared error ${error.toFixed(1)}, cross-entropy ${nats.toFixed(1)} nats`;
    if (spec.variational) bars.append(bar("reconstruction", nats, BLUE), bar("KL", kl, RED));
  }
  words.textContent = said;
  paintMap();
};
const look = () => {  // encode what is drawn or chosen, as it is after noise and eraser
  if (!base && !strokes.length) return;
  clean = Float32Array.from(base ?? new Float32Array(D));
  if (strokes.length) inked().forEach((ink, k) => { clean[k] = Math.max(clean[k], ink); });
  const kept = D - W * Math.round(erased * H);
  input = clean.map((v, k) => k < kept ? clamp(v + noise * noisy[k], 0, 1) : 0);
  const code = encode(input);
  for (let k = 0; k < d; k++) {
    z[k] = mu[k] = code[k];
    if (spec.variational) logvar[k] = code[d + k];
  }
  peek(null);
  samples = [];
  show();
};

// ---- the pen: strokes in units of pixels, drawn as MNIST was made -----------------------------
const sheet = make("canvas", {width: 380, height: Math.round(380 * H / W), tabindex: 0,
  role: "application", "aria-label": "Drawing pad. Draw with mouse or finger; by keys: arrows move " +
  "the pen, the space bar puts it down and lifts it, Delete clears."});
sheet.style.cssText = `width: 190px; height: ${190 * H / W}px`;
const small = make("canvas", {width: W, height: H}), nib = [W / 2, H / 2];
let down = false;
const trace = (pen, line) => {
  Object.assign(pen, {lineWidth: line, lineCap: "round", lineJoin: "round"});
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], k) => k ? pen.lineTo(x, y) : pen.moveTo(x, y));
    if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.01, stroke[0][1]);
    pen.stroke();
  }
};
const render = (scale, dx, dy) => {
  const pen = small.getContext("2d", {willReadFrequently: true});
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, W, H);
  pen.setTransform(scale, 0, 0, scale, dx, dy);
  trace(pen, spec.nib / scale);
  const {data} = pen.getImageData(0, 0, W, H);
  return Float32Array.from({length: D}, (_, k) => data[4 * k + 3] / 255);
};
const inked = () => {  // longest side 20 of 28 pixels, centre of mass in the middle; or as it is
  if (base) return render(1, 0, 0);
  const xs = strokes.flat().map(p => p[0]), ys = strokes.flat().map(p => p[1]);
  const [left, right, top, bottom] =
    [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const box = Math.min(H, W) * 20 / 28 - spec.nib;
  const scale = clamp(box / Math.max(right - left, bottom - top, 1), 0.2, 3);
  const dx = W / 2 - scale * (left + right) / 2, dy = H / 2 - scale * (top + bottom) / 2;
  const ink = render(scale, dx, dy);
  let mass = 1e-9, x = 0, y = 0;
  ink.forEach((a, k) => { mass += a; x += a * (k % W + 0.5); y += a * (Math.floor(k / W) + 0.5); });
  return render(scale, dx + W / 2 - x / mass, dy + H / 2 - y / mass);
};
const paintSheet = () => {
  const pen = sheet.getContext("2d"), scale = sheet.width / W;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "black";
  pen.fillRect(0, 0, sheet.width, sheet.height);
  if (base) {
    const tile = picture(H, W, H);
    tile.paint(base, "");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(tile.canvas, 0, 0, sheet.width, sheet.height);
  }
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.strokeStyle = "white";
  trace(pen, spec.nib);
  if (document.activeElement === sheet) {  // where the keys draw
    Object.assign(pen, {lineWidth: 0.4, strokeStyle: down ? "#e69f00" : "#56b4e9"});
    pen.beginPath();
    pen.arc(...nib, 1.5, 0, 7);
    pen.stroke();
  }
};
const draw = (x, y, begins) => {
  nib[0] = clamp(x, 0, W); nib[1] = clamp(y, 0, H);
  if (begins) strokes.push([]);
  strokes.at(-1).push([...nib]);
  paintSheet();
  look();
};
const clear = () => {
  base = input = null; strokes = []; samples = []; down = false; noise = erased = 0;
  for (const label of sliders) label.again();
  peek(null); paintSheet(); show();
};
const take = k => {  // the image of dot k as what is drawn
  if (!images) return;
  base = images.slice(k * D, (k + 1) * D); strokes = [];
  paintSheet(); look();
  const name = spec.classes[spec.labels[k]];
  if (name) words.textContent += `; its label is ${name}`;
};

// ---- by hand ----------------------------------------------------------------------------------
const nearest = (x, y) => {  // [dot, distance in CSS pixels]
  let best = [0, Infinity];
  spec.points.forEach((p, k) => {
    const [u, v] = place(...p), far = Math.hypot(u - 2 * SIZE * x, v - 2 * SIZE * y) / 2;
    if (far < best[1]) best = [k, far];
  });
  return best;
};
let began = null;
dragged(map, (x, y, event) => {
  if (event.type === "pointerdown") began = [x, y];
  else if (Math.hypot(x - began[0], y - began[1]) < 0.01) return;
  else began = [-9, -9];
  z[I] = spec.low[0] + clamp(x, 0, 1) * across(0);
  z[J] = spec.high[1] - clamp(y, 0, 1) * across(1);
  peek(null); show();
}, () => {
  const [k, far] = nearest(...began);
  if (began[0] >= 0 && far < 8) take(k);
});
map.addEventListener("pointermove", event => {
  if (event.buttons || !images) return;
  const box = map.getBoundingClientRect();
  const [k, far] = nearest((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  peek(far < 8 ? k : null);
});
map.addEventListener("pointerleave", () => peek(null));
map.addEventListener("keydown", event => {
  const step = ARROWS[event.key];
  if (step) {
    event.preventDefault();
    z[I] = clamp(z[I] + step[0] * across(0) / 50, spec.low[0], spec.high[0]);
    z[J] = clamp(z[J] + step[1] * across(1) / 50, spec.low[1], spec.high[1]);
    show();
  } else if (event.key === "Enter") {
    const [x, y] = place(z[I], z[J]);
    take(nearest(x / 2 / SIZE, y / 2 / SIZE)[0]);
  }
});
dragged(sheet, (x, y, event) => draw(x * W, y * H, event.type === "pointerdown"));
sheet.addEventListener("keydown", event => {
  const step = ARROWS[event.key];
  if (step) {
    nib[0] = clamp(nib[0] + step[0], 0, W); nib[1] = clamp(nib[1] - step[1], 0, H);
    if (down) draw(...nib); else paintSheet();
  } else if (event.key === " ") {
    down = !down;
    if (down) draw(...nib, true); else paintSheet();
  } else if (event.key === "Delete" || event.key === "Backspace") clear();
  else return;
  event.preventDefault();
});
for (const kind of ["focus", "blur"]) sheet.addEventListener(kind, paintSheet);
const sample = () => {  // one draw from the posterior; again while the button is held
  if (!input) return;
  for (let k = 0; k < d; k++) z[k] = mu[k] + Math.exp(logvar[k] / 2) * normal();
  samples.push([z[I], z[J]]);
  show();
};
let timer = 0;
const button = make("button", {type: "button", onclick: event => event.detail || sample()},
  "hold to sample");
button.addEventListener("pointerdown", () => { sample(); timer = setInterval(sample, 120); });
for (const kind of ["pointerup", "pointerleave", "pointercancel"])
  button.addEventListener(kind, () => clearInterval(timer));

const sliders = [
  dial("noise", 0, 1, 0, 0.01, () => noise.toFixed(2),
    value => { noise = value; noisy = noisy.map(normal); look(); }),
  dial("erase below", 0, 1, 0, 0.01, () => erased.toFixed(2), value => { erased = value; look(); }),
];

// ---- the whole --------------------------------------------------------------------------------
const titled = (name, ...children) => make("div", {}, make("div", {}, name), ...children);
const box = make("input", {type: "checkbox", oninput: () => { paintGround(box.checked); paintMap(); }});
box.checked = spec.sheet;
root.append(make("div", {class: "row"},
  titled("map of codes: drag the point", map),
  make("div", {class: "side"},
    make("div", {class: "row"}, titled("draw here", sheet),
      titled("what the decoder makes", made.canvas)),
    make("div", {class: "row"}, make("div", {}, caption, seen.canvas), make("div",
      {style: "flex: 1 1 0; min-width: 200px"}, ...sliders,
      make("div", {class: "row"}, make("button", {type: "button", onclick: clear}, "clear"),
        ...(spec.variational ? [button] : [])),
      make("label", {}, box, make("span", {}, "decode the whole map")))),
    words, bars)), hint);
root.figure = {encode, decode, take, state: () => ({z: [...z], input})};  // for tests
const loaded = new Image();
loaded.onload = () => {
  const canvas = make("canvas", {width: loaded.width, height: loaded.height});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  pen.drawImage(loaded, 0, 0);
  images = new Float32Array(spec.points.length * D);
  spec.points.forEach((_, k) => {
    const {data} = pen.getImageData(k % spec.columns * W, Math.floor(k / spec.columns) * H, W, H);
    for (let i = 0; i < D; i++) images[k * D + i] = data[4 * i] / 255;
  });
};
loaded.src = spec.sprite;
paintGround(spec.sheet);
clear();
