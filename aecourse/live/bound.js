// Probabilistic PCA in closed form: log p(x) = ELBO + gap of one point, for a diagonal q.
const REACH = 3.2;
const {variances, D} = spec;
const now = {k: spec.start, angle: 0, widen: 1, sigma2: spec.sigma2};

// ---- the mathematics --------------------------------------------------------------------------
// W = U L R: U (D, 2) the axes, L = diag(sqrt(max(v - sigma^2, 0))), R a turn by the angle.
// Of a point, a (2,) are its coordinates along U, rest is its squared distance from their plane.
const terms = ({k, angle, widen, sigma2}) => {
  const [a1, a2, rest] = spec.points[k], a = [a1, a2];
  const c = Math.cos(angle * Math.PI / 180), s = Math.sin(angle * Math.PI / 180);
  const l = variances.map(v => Math.max(v, sigma2)), L = l.map(v => Math.sqrt(v - sigma2));
  const [p, q] = l.map(v => v / sigma2);  // precisions of the posterior before the turn, at least 1
  const precision = [[c * c * p + s * s * q, c * s * (q - p)],
    [c * s * (q - p), s * s * p + c * c * q]];  // of p(z|x): R^T diag(l) R / sigma^2
  const u = a.map((v, i) => L[i] * v / l[i]);  // R m
  const m = [c * u[0] + s * u[1], c * u[1] - s * u[0]];  // the posterior's mean, and q's
  const v = [0, 1].map(i => widen ** 2 / precision[i][i]);  // the variances of q
  const tau = Math.log(2 * Math.PI);
  const log_p = -(D * tau + Math.log(l[0]) + Math.log(l[1]) + (D - 2) * Math.log(sigma2)
    + a1 * a1 / l[0] + a2 * a2 / l[1] + rest / sigma2) / 2;
  const error = rest + a.reduce((sum, x, i) => sum + (x - L[i] * u[i]) ** 2, 0);
  const spread = L[0] ** 2 * (c * c * v[0] + s * s * v[1])
    + L[1] ** 2 * (s * s * v[0] + c * c * v[1]);  // the trace of W C W^T
  const seen = -(D * (tau + Math.log(sigma2)) + (error + spread) / sigma2) / 2;
  const kl = v.reduce((sum, x, i) => sum + (m[i] ** 2 + x - 1 - Math.log(x)) / 2, 0);
  const gap = (precision[0][0] * v[0] + precision[1][1] * v[1] - 2
    - Math.log(v[0] * v[1] * p * q)) / 2;
  return {log_p, elbo: seen - kl, gap: Math.max(gap, 0), m, v, posterior: [1 / p, 1 / q]};
};
const mean = k => terms({...now, k}).m;
const alive = () => variances.filter(v => v > now.sigma2).length;

// ---- the latent plane -------------------------------------------------------------------------
const KEYS = "the arrow keys choose the next point that way";
const map = fine(SIZE,
  {tabindex: 0, role: "application", "aria-label": `Codes of the points: ${KEYS}.`});
const bar = fine(286, {role: "img"});
const at = plane(REACH);
const ellipse = (pen, centre, sigmas, turn, colour, width, dashes) => {
  Object.assign(pen, {strokeStyle: colour, lineWidth: width});
  pen.setLineDash(dashes);
  for (const n of [1, 2]) {
    pen.beginPath();
    pen.ellipse(...at(centre), ...sigmas.map(s => n * s * SIZE / REACH), turn, 0, 7);
    pen.stroke();
  }
  pen.setLineDash([]);
};
const paintMap = ({m, v, posterior}) => {
  const pen = map.getContext("2d");
  pen.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
  dots(pen, spec.points.map((_, k) => at(mean(k))));
  for (const ends of [[[-REACH, 0], [REACH, 0]], [[0, -REACH], [0, REACH]]])
    line(pen, ends.map(at), "#bbb", 2);
  ellipse(pen, [0, 0], [1, 1], 0, "#666", 2, [3, 9]);
  ellipse(pen, m, posterior.map(Math.sqrt), now.angle * Math.PI / 180, BLUE, 6, []);
  ellipse(pen, m, v.map(Math.sqrt), 0, RED, 6, [16, 10]);
  mark(pen, at(m), 9, "black");
  write(pen, "z₁", 2 * SIZE - 14, SIZE + 26, "#444", "right");
  write(pen, "z₂", SIZE + 14, 26, "#444");
  write(pen, "posterior p(z|x)", 14, 2 * SIZE - 66, BLUE);
  write(pen, "q(z|x), dashed", 14, 2 * SIZE - 26, RED);
  write(pen, "prior p(z), dotted", 2 * SIZE - 14, 2 * SIZE - 26, "#444", "right");
};

// ---- the bar: from log p(x) down, on an axis of nats that moves with log p(x) -------------------
const WIDE = 2 ** 0.8, ratio = variances[0] / Math.max(variances[1], spec.low);
const most = Math.log(ratio / 4 + 1 / 2 + 1 / 4 / ratio) / 2  // the gap at 45 degrees
  + WIDE ** 2 - 1 - 2 * Math.log(WIDE);  // and of the widest q
const nats = v => v.toFixed(3).replace("-", "−");
const paintBar = ({log_p, elbo, gap}) => {
  const pen = bar.getContext("2d"), {width, height} = bar, top = 40, base = height - 20;
  const per = (base - top) / (1.2 * most), y = v => top + per * (log_p - v);
  const left = 110, right = 300, step = most < 4 ? 0.5 : 1, split = y(log_p - gap);
  pen.clearRect(0, 0, width, height);
  for (let v = Math.floor((log_p + 0.1) / step) * step; y(v) < base; v -= step) {
    pen.fillStyle = "#999";
    pen.fillRect(left - 14, y(v) - 1, 14, 2);
    write(pen, v.toFixed(1).replace("-", "−"), left - 20, y(v), "#444", "right");
  }
  pen.fillStyle = GREEN;
  pen.beginPath();  // its foot is torn off: the bar goes on downwards
  pen.moveTo(left, split);
  pen.lineTo(right, split);
  for (let n = 0; n <= 10; n++)
    pen.lineTo(right + (left - right) * n / 10, base - (n % 2 ? 16 : 0));
  pen.fill();
  pen.fillStyle = RED;
  pen.fillRect(left, top, right - left, split - top);
  for (const v of [top, split]) line(pen, [[left - 6, v], [right + 16, v]], "black", 4);
  const label = (text, y, colour) => {
    pen.fillStyle = colour;
    pen.fillRect(right + 30, y - 13, 26, 26);
    write(pen, text, right + 66, y);
  };
  write(pen, `log p(x) = ${nats(log_p)} nats`, right + 30, top - 8);
  label(`gap = ${nats(gap)} nats`, Math.max((top + split) / 2, top + 36), RED);
  label(`ELBO = ${nats(elbo)} nats`, (split + base) / 2, GREEN);
  write(pen, "the bar goes on below", right + 30, base - 4, "#666");
};

// ---- the whole --------------------------------------------------------------------------------
const show = () => {
  const found = terms(now), {log_p, elbo, gap} = found, turned = Math.round(now.angle);
  const units = ["No unit is alive: σ² is above both variances, the posterior is the prior.",
    "One unit is alive: σ² is above the second variance, one direction of z is as the prior.",
    "Both units are alive."][alive()];
  words.textContent = `Point ${now.k + 1}: log p(x) = ${nats(log_p)} = ELBO ${nats(elbo)} + gap ` +
    `${nats(gap)} nats. W turned by ${turned} degrees, q ${now.widen.toFixed(2)} times as wide ` +
    `as the best diagonal one, σ² = ${now.sigma2.toPrecision(2)}. ${units}`;
  bar.setAttribute("aria-label", `A bar: log p(x) = ${nats(log_p)} nats is ELBO ${nats(elbo)} ` +
    `and gap ${nats(gap)}.`);
  paintMap(found);
  paintBar(found);
};
const take = k => { now.k = k; show(); };
const nearest = (place, allowed = () => true) => {
  let best = -1, least = Infinity;
  spec.points.forEach((_, k) => {
    const [dx, dy] = mean(k).map((v, i) => v - place[i]), far = Math.hypot(dx, dy);
    if (far < least && allowed(dx, dy, k)) { best = k; least = far; }
  });
  return best;
};
dragged(map, (x, y) => take(nearest([REACH * (2 * x - 1), REACH * (1 - 2 * y)])));
map.addEventListener("keydown", event => {
  const way = ARROWS[event.key];
  if (!way) return;
  event.preventDefault();
  const k = nearest(mean(now.k), (dx, dy) => {  // the nearest of those within 45 degrees of the way
    const along = dx * way[0] + dy * way[1];
    return along > 1e-9 && along >= Math.abs(dx * way[1] + dy * way[0]);
  });
  if (k >= 0) take(k);
});
const sliders = [
  dial("turn W", 0, 90, 0, 1, () => `${now.angle}°`, v => { now.angle = v; show(); }),
  dial("widen q", -0.8, 0.8, 0, 0.02, () => `× ${now.widen.toFixed(2)}`,
    v => { now.widen = 2 ** v; show(); }),
  dial("σ²", Math.log10(spec.low), Math.log10(spec.high), Math.log10(spec.sigma2), "any",
    () => now.sigma2.toPrecision(2), v => { now.sigma2 = 10 ** v; show(); }),
];
const reset = () => {
  Object.assign(now, {angle: 0, widen: 1, sigma2: spec.sigma2});
  for (const label of sliders) label.again();
  show();
};
const side = make("div", {class: "side"}, make("div", {}, "log p(x) = ELBO + gap, in nats"), bar,
  ...sliders, make("button", {type: "button", onclick: reset}, "reset"));
root.append(make("div", {class: "row"},
  make("div", {}, make("div", {}, "codes z: click a dot to choose its point x"), map), side),
  words, make("p", {}, "Turning W and widening q change the gap, not log p(x); σ² does both. " +
    `Keys: ${KEYS}.`));
root.figure = {terms, take, state: () => ({...now, alive: alive()})};  // for tests
show();
