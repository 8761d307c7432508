// What the figures have in common: elements, weights, networks, pictures, pointers, words.
const still = root.querySelector(".still");
still.remove();
root.addEventListener("keydown", event => event.stopPropagation());  // JupyterLab folds on arrows

const make = (tag, attributes = {}, ...children) => {  // children are elements, or text, no markup
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
const words = make("p", {role: "status", "aria-live": "polite", class: "live-words"});
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const normal = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

const range = (name, low, high, value, moved, step = (high - low) / 100) => {
  const input = make("input", {type: "range", min: low, max: high, step, value});
  const output = make("output"), says = () => output.textContent = Number(input.value).toFixed(2);
  input.addEventListener("input", () => { says(); moved(Number(input.value)); });
  says();
  return make("label", {}, make("span", {}, name), input, output);
};

const dial = (name, low, high, start, step, of, to) => {  // its output says what it stands for
  const label = range(name, low, high, start, v => { to(v); says(); }, step);
  const says = () => {
    label.querySelector("output").textContent = of();
    label.querySelector("input").setAttribute("aria-valuetext", of());
  };
  says();
  label.firstChild.style.minWidth = "4.5em";
  label.again = () => { label.querySelector("input").value = start; says(); };
  return label;
};

// Calls moved(x, y, event) with places in [0, 1] while a mouse, a finger or a pen is down.
const dragged = (element, moved, ended = () => {}) => {
  const at = event => {
    const box = element.getBoundingClientRect();
    moved((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, event);
  };
  element.addEventListener("pointerdown", event => {
    try { element.setPointerCapture(event.pointerId); } catch { /* a synthetic event */ }
    element.focus({preventScroll: true});
    event.preventDefault();
    at(event);
  });
  element.addEventListener("pointermove", event => event.buttons && at(event));
  element.addEventListener("pointerup", ended);
};

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};

const BLUE = "#0072b2", RED = "#d55e00", GREEN = "#009e73";

// Canvases of lines and words are SIZE CSS pixels wide, and drawn twice as fine as the page.
const SIZE = 400;
const fine = (height, attributes = {}) => {
  const canvas = make("canvas", {width: 2 * SIZE, height: 2 * height, ...attributes});
  canvas.style.cssText = `width: ${SIZE}px; max-width: 100%; aspect-ratio: ${SIZE} / ${height}; `
    + "height: auto; image-rendering: auto";
  return canvas;
};
const write = (pen, text, x, y, colour = "black", align = "left", size = 32) => {  // with a white rim
  Object.assign(pen, {font: `bold ${size}px sans-serif`, fillStyle: colour, textAlign: align,
    textBaseline: "middle", strokeStyle: "white", lineWidth: 8, lineJoin: "round"});
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
};

const plane = reach => ([x, y]) => [SIZE * (1 + x / reach), SIZE * (1 - y / reach)];  // 0 in the middle
const outside = place => place.some(v => v < -1 || v > 2 * SIZE + 1);
const mark = (pen, place, radius, colour, edge = 2 * radius) => {
  pen.fillStyle = colour;  // a dot; of a place beyond the border, an arrow head that points to it
  pen.beginPath();
  if (outside(place)) {
    const [x, y] = place.map(v => clamp(v, edge, 2 * SIZE - edge));
    const turn = Math.atan2(place[1] - y, place[0] - x);
    for (const a of [0, 2.4, -2.4])
      pen.lineTo(x + 2 * radius * Math.cos(turn + a), y + 2 * radius * Math.sin(turn + a));
  } else pen.arc(...place, radius, 0, 7);
  pen.fill();
};
const dots = (pen, places, colour = "rgb(110 110 110 / 45%)") => {
  for (const place of places) mark(pen, place, 5, colour);
};
const line = (pen, points, colour, width, dashes = []) => {
  Object.assign(pen, {strokeStyle: colour, lineWidth: width, lineJoin: "round"});
  pen.setLineDash(dashes);
  pen.beginPath();
  points.forEach(([x, y], n) => n ? pen.lineTo(x, y) : pen.moveTo(x, y));
  pen.stroke();
  pen.setLineDash([]);
};

// Weights: half-precision numbers in base64, as Float32Array.
const floats = base64 => Float32Array.from(
  new Uint16Array(Uint8Array.from(atob(base64), c => c.charCodeAt(0)).buffer), h => {
    const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
const erf = x => {  // Abramowitz & Stegun 7.1.26, to 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
    + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - p * Math.exp(-x * x));
};
const activations = {
  Identity: x => x,
  ReLU: x => Math.max(0, x),
  Tanh: Math.tanh,
  Sigmoid: x => 1 / (1 + Math.exp(-x)),
  GELU: x => x * (1 + erf(x / Math.SQRT2)) / 2,
  SiLU: x => x / (1 + Math.exp(-x)),
  ELU: x => x > 0 ? x : Math.expm1(x),
  LeakyReLU: x => x > 0 ? x : 0.01 * x,
  Softplus: x => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x))),
};
// Linear layers [rows, columns, activation], as a function; their weights follow one another.
const network = (layers, numbers) => {
  let at = 0;
  const parts = layers.map(([rows, columns, activation]) => ({
    weight: numbers.subarray(at, at += rows * columns), bias: numbers.subarray(at, at += rows),
    out: new Float32Array(rows), columns, f: activations[activation],
  }));
  return x => {
    for (const {weight, bias, out, columns, f} of parts) {
      for (let r = 0, k = 0; r < out.length; r++) {
        let sum = bias[r];
        for (let c = 0; c < columns; c++) sum += weight[k++] * x[c];
        out[r] = f(sum);
      }
      x = out;
    }
    return x;
  };
};

// A grey picture, `size` CSS pixels high, and a function that paints numbers in [0, 1] on it.
const picture = (height, width, size, attributes = {}) => {
  const canvas = make("canvas", {role: "img", width, height, ...attributes});
  canvas.style.cssText = `width: ${size * width / height}px; height: auto; max-width: 100%`;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  image.data.fill(255);
  const paint = (values, label) => {
    for (let k = 0; k < height * width; k++) {
      const grey = 255 * clamp(values[k], 0, 1);
      image.data[4 * k] = image.data[4 * k + 1] = image.data[4 * k + 2] = grey;
    }
    context.putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", label);
  };
  return {canvas, paint};
};
