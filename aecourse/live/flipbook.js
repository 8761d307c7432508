// Pictures one after another: a range chooses one, a button plays them all.
const kept = [...still.querySelectorAll("img")].map(image => image.src);  // these travel once
const frames = spec.frames.map(frame => frame ?? kept.shift());
const {labels, caption} = spec, last = frames.length - 1;
const held = frames.map(src => Object.assign(new Image(), {src}));  // none flickers, being loaded
const scale = Math.min(Math.max(Math.ceil(400 / spec.height), 1), 860 / spec.width);
const shown = make("img", {width: Math.round(scale * spec.width)});
shown.style.cssText = "display: block; max-width: 100%; height: auto; image-rendering: "
  + (scale < 2 ? "auto" : "pixelated");
let k = 0, timer = 0;
const show = at => {
  k = at;
  slider.value = k + 1;
  slider.setAttribute("aria-valuetext", `frame ${k + 1} of ${frames.length}`);
  shown.src = frames[k];
  shown.alt = `${caption} ${labels[k]}`;
  words.textContent = labels[k];
};
const stop = at => {
  clearInterval(timer);
  timer = 0;
  button.textContent = "play";
  words.setAttribute("aria-live", "polite");
  show(at);
};
const play = () => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  button.textContent = "pause";
  words.setAttribute("aria-live", "off");  // not each frame is to be spoken, but the last
  if (k === last) show(0);
  timer = setInterval(() => k + 1 < last ? show(k + 1) : stop(last), calm ? 1000 : 125);
};
const slider = make("input", {type: "range", min: 1, max: last + 1, step: 1,
  "aria-label": "frame", oninput: () => stop(slider.value - 1)});
const button = make("button", {type: "button", onclick: () => timer ? stop(k) : play()}, "play");
button.style.minWidth = "5em";
slider.style.cssText = "width: 20em; height: 32px";
words.style.cssText = "flex: 1 1 18em; min-height: 1.4em";
const controls = make("div", {class: "row"}, button, slider, words);
controls.style.cssText = "align-items: center; max-width: 860px; margin-top: 6px";
root.append(make("p", {}, caption), shown, controls);
show(0);
