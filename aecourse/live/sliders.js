const decode = network(spec.layers, floats(spec.weights));
const z = Float32Array.from(spec.start);
const shown = picture(spec.height, spec.width, 400);
const draw = () => {
  const places = spec.names.map((name, k) => name + " = " + z[k].toFixed(2));
  shown.paint(decode(z), "Decoded picture at " + places.join(", "));
};
const ranges = spec.names.map((name, k) =>
  range(name, spec.low[k], spec.high[k], z[k], value => { z[k] = value; draw(); }));
const controls = make("div", {class: spec.names.length > 8 ? "two" : ""}, ...ranges);
root.append(make("div", {class: "row"}, shown.canvas, controls));
draw();
