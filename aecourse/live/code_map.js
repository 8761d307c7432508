// Codes as dots, a point to drag on them, a pen; beside them the picture that the point decodes to.
const {height: H, width: W, d, dims} = spec, [I, J] = dims, D = H * W;
const numbers = floats(spec.weights), cut = spec.decoder.reduce((n, [r, c]) => n + r * (c + 1), 0);
const decode = network(spec.decoder, numbers);
const encode = network(spec.encoder, numbers.subarray(cut));
const z = Float32Array.from(spec.start), logvar = new Float32Array(d).fill(-Infinity);
let input = null, clean = null, images = null, strokes = [], samples = [], noise = 0, erased = 0;
let chosen = null, base = null, over = false;  // a dot and its image; whether one draws on it
let at = "moved", queue = null;  // where the point is: "code", "sample", "moved"; dots for Enter
let noisy = Float32Array.from({length: D}, normal);

// ---- the map --------------------------------------------------------------------------------
const KEYS = ["the arrow keys move the point, Enter takes the nearest dot, then the next nearest, " +
  "Escape goes back to the code of the image", "the arrow keys move the pen, the space bar puts " +
  "it down and lifts it, Delete clears"];
const map = fine(SIZE, {tabindex: 0, role: "application", "aria-label": `Map of codes: ${KEYS[0]}.`});
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
    pen.fillStyle = "white";  // grey ink on white paper, on which each colour can be seen
    pen.fillRect(0, 0, 2 * SIZE, 2 * SIZE);
    pen.globalCompositeOperation = "difference";
    for (let k = 0; k < n * n; k++) {
      at[I] = spec.low[0] + across(0) * (k % n + 0.5) / n;
      at[J] = spec.high[1] - across(1) * (Math.floor(k / n) + 0.5) / n;
      tile.paint(decode(at), "");
      pen.drawImage(tile.canvas, k % n * 2 * SIZE / n, Math.floor(k / n) * 2 * SIZE / n,
        2 * SIZE / n, 2 * SIZE / n);
    }
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = "rgb(255 255 255 / 40%)";
    pen.fillRect(0, 0, 2 * SIZE, 2 * SIZE);
  }
  pen.globalAlpha = 0.55;
  spec.points.forEach((p, k) =>
    mark(pen, place(...p), 7, spec.colours[spec.labels[k] % spec.colours.length]));
  pen.globalAlpha = 1;
  pen.font = "bold 40px sans-serif";
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
    write(pen, name, clamp(x, wide, 2 * SIZE - wide), clamp(y, 24, 2 * SIZE - 24),
      spec.colours[c % spec.colours.length], "center", 40);
  });
  write(pen, `z${I + 1} →`, 2 * SIZE - 10, 2 * SIZE - 24, "#444", "right");
  write(pen, `z${J + 1} ↑`, 10, 24, "#444");
};
const paintMap = () => {
  const pen = map.getContext("2d"), here = place(z[I], z[J]), code = place(mu[I], mu[J]);
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  pen.drawImage(ground, 0, 0);
  Object.assign(pen, {lineWidth: 4, strokeStyle: "black", fillStyle: "black"});
  if (input && spec.variational) {
    const sigma = [I, J].map(k => Math.exp(logvar[k] / 2));
    for (const turn of [1, 2]) {
      pen.beginPath();
      pen.ellipse(...code, turn * sigma[0] * 2 * SIZE / across(0),
        turn * sigma[1] * 2 * SIZE / across(1), 0, 0, 7);
      pen.stroke();
    }
    for (const [p, q] of samples) pen.fillRect(...place(p, q).map(a => a - 3), 6, 6);
  }
  if (input && at === "moved") {  // the way back
    line(pen, [code, here], "black", 3, [10, 8]);
    mark(pen, code, 8, "black");
  }
  for (const [radius, colour] of [[17, "white"], [13, "black"], [8, "#f0e442"]])
    mark(pen, here, radius, colour, 34);
};

// ---- pictures and words ---------------------------------------------------------------------
const seen = picture(H, W, 190), made = picture(H, W, 190), mu = new Float32Array(d);
const press = (name, onclick) => make("button", {type: "button", onclick}, name);
const back = press("back to the code", () => look());
const caption = make("div"), bars = make("div");
bars.style.minHeight = spec.variational ? "2.8em" : 0;
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
  const x_hat = decode(z), places = `z${I + 1} = ${z[I].toFixed(2)}, z${J + 1} = ${z[J].toFixed(2)}`
    + (outside(place(z[I], z[J])) ? ", outside the map" : "");
  made.paint(x_hat, `Decoded picture at ${places}`);
  bars.replaceChildren();
  back.style.opacity = input && at !== "code" ? 1 : 0.5;
  const name = !strokes.length && spec.classes[spec.labels[chosen]];
  const image = strokes.length ? "the drawing" : name ? `the image (label ${name})` : "the image";
  if (!input) words.textContent = `The point is at ${places}. Nothing is drawn or chosen.`;
  else if (at === "moved") words.textContent = `The point is at ${places}. It has left the code of ` +
    `${image}: the decoded picture is no reconstruction.`;
  else {
    let error = 0, nats = 0, kl = 0;
    for (let k = 0; k < D; k++) {
      const p = clamp(x_hat[k], 1e-7, 1 - 1e-7);
      error += (clean[k] - x_hat[k]) ** 2;
      nats -= clean[k] * Math.log(p) + (1 - clean[k]) * Math.log(1 - p);
    }
    for (let k = 0; k < d; k++) kl += (mu[k] ** 2 + Math.exp(logvar[k]) - 1 - logvar[k]) / 2;
    words.textContent = `The point is ${at === "code" ? "the code" : "a sample from the posterior"} ` +
      `of ${image}: ${places}. The reconstruction${noise || erased ? ", beside it without noise and " +
      "eraser" : ""}: squared error ${error.toFixed(1)}, cross-entropy ${nats.toFixed(1)} nats.`;
    if (spec.variational) bars.append(bar("reconstruction", nats, BLUE), bar("KL", kl, RED));
  }
  paintMap();
};
const look = () => {  // encode what is drawn or chosen, as it is after noise and eraser
  if (!base && !strokes.length) return;
  clean = Float32Array.from(base && (over || !strokes.length) ? base : new Float32Array(D));
  if (strokes.length) inked().forEach((ink, k) => { clean[k] = Math.max(clean[k], ink); });
  const kept = D - W * Math.round(erased * H);
  input = clean.map((v, k) => k < kept ? clamp(v + noise * noisy[k], 0, 1) : 0);
  const code = encode(input);
  for (let k = 0; k < d; k++) {
    z[k] = mu[k] = code[k];
    if (spec.variational) logvar[k] = code[d + k];
  }
  at = "code"; queue = null; samples = [];
  peek(null);
  show();
};

// ---- the pen: strokes in units of pixels, drawn as MNIST was made -----------------------------
const sheet = make("canvas", {width: 380, height: Math.round(380 * H / W), tabindex: 0,
  role: "application", "aria-label": `Drawing pad: draw with mouse or finger; by keys, ${KEYS[1]}.`});
sheet.style.cssText = `width: ${190 * W / H}px; max-width: 100%`;
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
  if (base && over) return render(1, 0, 0);
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
  if (base && over) {
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
  base = input = chosen = null; strokes = []; samples = []; down = false; noise = erased = 0;
  for (const label of sliders) label.again();
  peek(null); paintSheet(); show();
};
const take = k => {  // the image of dot k as what the network sees
  if (!images) return;
  base = images.slice(k * D, (k + 1) * D); chosen = k; strokes = [];
  paintSheet(); look();
};

// ---- by hand ----------------------------------------------------------------------------------
const nearest = (x, y) => spec.points.map((p, k) => {  // [dot, distance in CSS pixels], sorted
  const [u, v] = place(...p).map(a => clamp(a, 14, 2 * SIZE - 14));
  return [k, Math.hypot(u - 2 * SIZE * x, v - 2 * SIZE * y) / 2];
}).sort((a, b) => a[1] - b[1]);
const next = () => {  // Enter: the nearest dot; as long as nothing else is done, the next nearest
  const [x, y] = place(z[I], z[J]).map(v => v / 2 / SIZE);
  const left = queue ?? nearest(x, y).map(([k]) => k).filter(k => at === "moved" || k !== chosen);
  take(left[0]);
  queue = [...left.slice(1), left[0]];
};
const move = (x, y) => {
  z[I] = clamp(x, spec.low[0], spec.high[0]); z[J] = clamp(y, spec.low[1], spec.high[1]);
  at = "moved"; queue = null;
  peek(null); show();
};
let began = null;
dragged(map, (x, y, event) => {
  if (event.type === "pointerdown") began = [x, y];
  else if (Math.hypot(x - began[0], y - began[1]) < 0.01) return;
  else began = [-9, -9];
  move(spec.low[0] + x * across(0), spec.high[1] - y * across(1));
}, event => {
  const [k, far] = nearest(...began)[0];
  if (began[0] >= 0 && far < (event.pointerType === "touch" ? 16 : 8)) take(k);
});
map.addEventListener("pointermove", event => {
  if (event.buttons || !images) return;
  const box = map.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  const [k, far] = nearest(x, y)[0];
  peek(far < 8 ? k : null);
});
map.addEventListener("pointerleave", () => peek(null));
map.addEventListener("keydown", event => {
  const step = ARROWS[event.key];
  if (step) {
    event.preventDefault();
    move(z[I] + step[0] * across(0) / 50, z[J] + step[1] * across(1) / 50);
  } else if (event.key === "Enter") next();
  else if (event.key === "Escape") look();
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
  at = "sample"; queue = null;
  show();
};
let timer = 0;
const button = press("hold to sample", event => event.detail || sample());
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
const tick = (name, checked, to) => {
  const box = make("input", {type: "checkbox", oninput: () => to(box.checked)});
  box.checked = checked;
  return make("label", {}, box, make("span", {}, name));
};
root.append(make("div", {class: "row"},
  make("div", {style: `max-width: ${SIZE + 2}px`},
    titled("map of codes: drag the point, click a dot", map), make("div", {class: "row"},
    back, ...(spec.variational ? [button] : []),
    tick("decode the whole map", spec.sheet, on => { paintGround(on); paintMap(); }))),
  make("div", {class: "side"}, make("div", {class: "four"},
    make("div", {}, caption, seen.canvas), titled("decoder makes", made.canvas),
    titled("draw here", sheet),
    titled("\u00a0", ...sliders,
      tick("draw on the image", over, on => { over = on; paintSheet(); look(); }),
      press("clear", clear))), bars)),
  words, make("p", {}, `Keys: on the map, ${KEYS[0]}; on the pad, ${KEYS[1]}.`),
  make("p", {}, "A drawing's longer side is scaled to 20 of 28 pixels, and its centre of mass moved " +
    "to the middle, as in MNIST; on the image of a dot it stays as it is. An arrow head at the border " +
    "is a code outside the map."));
root.figure = {encode, decode, take, low: spec.low, high: spec.high,  // for tests
  state: () => ({z: [...z], input})};
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
  next();  // of the start
};
loaded.src = spec.sprite;
paintGround(spec.sheet);
clear();
