// A code of one noisy number, z = w^T x + sigma * noise, w of length 1, and a decoder N(a z, S) of
// your own: the information, and what the bound leaves of it.
const R = spec.reach, {points, noise} = spec, [[s11, s12], [, s22]] = spec.cov;
const first = () => ({angle: 0, turn: 0, sigma: spec.sigma, slope: 1, width: 1});
const now = first();

// ---- the mathematics, as in aecourse/information.py -------------------------------------------
const turned = ([x, y], angle) =>
  [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
const radians = degrees => degrees * Math.PI / 180;
const det = ([a, b, c]) => a * c - b * b;  // a symmetric matrix is [a, b, c], ((a, b), (b, c))
const terms = ({angle, turn, sigma, slope, width}) => {
  const [c, s] = [Math.cos(radians(turn)), Math.sin(radians(turn))];
  const cov = [c * c * s11 - 2 * c * s * s12 + s * s * s22,  // of the turned cloud
    c * s * (s11 - s22) + (c * c - s * s) * s12, s * s * s11 + 2 * c * s * s12 + c * c * s22];
  const w = [Math.cos(radians(angle)), Math.sin(radians(angle))];
  const signal = [cov[0] * w[0] + cov[1] * w[1], cov[1] * w[0] + cov[2] * w[1]];  // cov w
  const v = w[0] * signal[0] + w[1] * signal[1] + sigma ** 2;  // the variance of z
  const best = signal.map(u => u / v), a = best.map(u => slope * u);
  const outer = (p, q) => [p[0] * q[0], (p[0] * q[1] + p[1] * q[0]) / 2, p[1] * q[1]];
  const posterior = cov.map((u, i) => u - v * outer(best, best)[i]);
  const S = posterior.map(u => width * u);
  const error = cov.map((u, i) => u - 2 * outer(a, signal)[i] + v * outer(a, a)[i]);
  const trace = E => (S[2] * E[0] - 2 * S[1] * E[1] + S[0] * E[2]) / det(S);  // tr(S^-1 E)
  const information = Math.log(v / sigma ** 2) / 2;
  const bound = 1 + (Math.log(det(cov) / det(S)) - trace(error)) / 2;  // H(X) + E[log p(x|z)]
  const apart = a.map((u, i) => u - best[i]);  // the mean KL(q(x|z) || p(x|z))
  const kl = (trace(posterior) + v * trace(outer(apart, apart)) - 2
    + Math.log(det(S) / det(posterior))) / 2;
  return {cov, w, a, S, information, bound, kl, squared: error[0] + error[2]};
};

// ---- the cloud --------------------------------------------------------------------------------
const KEYS = "the arrow keys turn w, a degree at a time";
const map = fine(SIZE, {tabindex: 0, role: "application", "aria-label":
  `A cloud of points and the encoder w as an arrow: ${KEYS}.`});
const bars = fine(140, {role: "img"});
const at = plane(R);
const ellipse = (pen, [p, q, r]) => {  // two standard deviations
  const middle = (p + r) / 2, half = Math.hypot((p - r) / 2, q), axes = [middle + half, middle - half];
  Object.assign(pen, {strokeStyle: "#444", lineWidth: 4});
  pen.beginPath();
  pen.ellipse(SIZE, SIZE, ...axes.map(u => 2 * Math.sqrt(Math.max(u, 0)) * SIZE / R),
    -Math.atan2(2 * q, p - r) / 2, 0, 7);
  pen.stroke();
};
const paintMap = ({cov, w, a}) => {
  const pen = map.getContext("2d"), cloud = points.map(x => turned(x, radians(now.turn)));
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  dots(pen, cloud.map(at));
  ellipse(pen, cov);
  const codes = cloud.map((x, n) => w[0] * x[0] + w[1] * x[1] + now.sigma * noise[n]);
  dots(pen, codes.map(z => at(a.map(u => u * z))), "rgb(230 159 0 / 80%)");
  const tip = w.map(u => 0.62 * R * u), [x, y] = at(tip);
  line(pen, [[SIZE, SIZE], at(w.map(u => 0.56 * R * u))], BLUE, 10);
  pen.fillStyle = BLUE;
  pen.beginPath();
  for (const [along, aside] of [[0.62, 0], [0.55, 0.03], [0.55, -0.03]])
    pen.lineTo(...at([R * (along * w[0] - aside * w[1]), R * (along * w[1] + aside * w[0])]));
  pen.fill();
  write(pen, "w", SIZE + (x - SIZE) * 1.08, SIZE + (y - SIZE) * 1.08, BLUE, "center");
  write(pen, spec.names[0], 2 * SIZE - 14, 2 * SIZE - 26, "#444", "right");
  write(pen, spec.names[1], 14, 26, "#444");
};

// ---- the bars, from 0 nats to the right -------------------------------------------------------
const nats = u => u.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
const most = () => {  // the information along the cloud, with this noise
  const middle = (s11 + s22) / 2, half = Math.hypot((s11 - s22) / 2, s12);
  return Math.log(1 + (middle + half) / now.sigma ** 2) / 2;
};
const paintBars = ({information, bound, kl}) => {
  const pen = bars.getContext("2d"), {width, height} = bars, end = 1.04 * most(), low = -0.7 * end;
  const across = u => 20 + (width - 40) * (Math.max(u, low) - low) / (end - low);
  const bar = (y, from, to, colour) => {
    pen.fillStyle = colour;
    pen.fillRect(Math.min(across(from), across(to)), y, Math.abs(across(to) - across(from)), 50);
  };
  pen.clearRect(0, 0, width, height);
  bar(50, 0, information, BLUE);
  bar(170, bound, information, RED);
  bar(170, 0, Math.max(bound, 0), GREEN);
  line(pen, [[across(0), 44], [across(0), 236]], "black", 3);
  line(pen, [[across(information), 44], [across(information), 226]], "black", 3, [10, 8]);
  if (bound < 0) line(pen, [[across(bound), 164], [across(bound), 226]], GREEN, 8);
  write(pen, `I(X;Z) = ${nats(information)}`, 20, 24, BLUE);
  write(pen, `bound ${nats(bound)}`, 20, 144, GREEN);
  write(pen, `gap = KL = ${nats(kl)}`, width - 20, 144, RED, "right");
  write(pen, "0", across(0), 254, "#444", "center");
};

// ---- the whole --------------------------------------------------------------------------------
const show = () => {
  const found = terms(now), {information, bound, kl, squared} = found;
  words.textContent = `Encoder at ${Math.round(now.angle)} degrees: I(X;Z) = ${nats(information)} nats. ` +
    `The decoder leaves a bound of ${nats(bound)}; the gap is the mean KL, ${nats(kl)}. ` +
    `Mean squared error ${squared.toPrecision(3)}.`;
  bars.setAttribute("aria-label", `Bars: information ${nats(information)} nats, of which the bound ` +
    `is ${nats(bound)} and the gap ${nats(kl)}.`);
  paintMap(found);
  paintBars(found);
};
const point = angle => { now.angle = (angle + 360) % 360; show(); };
dragged(map, (x, y) => point(Math.atan2(0.5 - y, x - 0.5) / radians(1)));
map.addEventListener("keydown", event => {
  const way = ARROWS[event.key];
  if (!way) return;
  event.preventDefault();
  point(Math.round(now.angle) + (way[1] || -way[0]));  // left and up turn against the clock
});
const sliders = [
  dial("noise σ", Math.log2(spec.sigma) - 3, Math.log2(spec.sigma) + 3, Math.log2(spec.sigma), 0.05,
    () => now.sigma.toPrecision(2), v => { now.sigma = 2 ** v; show(); }),
  dial("turn the cloud", 0, 180, 0, 1, () => `${now.turn}°`, v => { now.turn = v; show(); }),
  dial("decoder's slope", -2, 2, 0, 0.1, () => `× ${now.slope.toFixed(2)}`,
    v => { now.slope = 2 ** v; show(); }),
  dial("decoder's variance", -3, 3, 0, 0.1, () => `× ${now.width.toFixed(2)}`,
    v => { now.width = 2 ** v; show(); }),
];
const reset = () => {
  Object.assign(now, first());
  for (const label of sliders) label.again();
  show();
};
const side = make("div", {class: "side"}, make("div", {}, "information and bound, in nats"), bars,
  ...sliders, make("button", {type: "button", onclick: reset}, "reset"));
root.append(make("div", {class: "row"},
  make("div", {}, make("div", {}, "drag the arrow: grey data, orange reconstructions"), map), side),
  words, make("p", {}, `Keys: ${KEYS}.`));
root.figure = {terms, state: () => ({...now})};  // for tests
show();
