// Melodies as piano rolls with one sound: a line runs over the roll that sounds; touch a roll to hear
// it from there to its end.
const {labels, length, gap, steps, left, right} = spec, last = labels.length - 1;
const audio = still.querySelector("audio");  // its sound travels once
audio.removeAttribute("controls");
const beat = 12 * length / steps;  // seconds; so is length, of a phrase
let k = 0, at = 0, until = 0;  // the phrase, and the seconds in it; where the sound is to end
const rolls = labels.map((label, n) => {
  const picture = Object.assign(new Image(), {src: spec.rolls[n], onload: () => draw()});
  const canvas = make("canvas", {tabindex: 0, role: "slider", "aria-label": label,
    "aria-valuemin": 0, "aria-valuemax": Math.round(length * 1000), width: 732, height: 252});
  canvas.style.cssText = "width: 100%; height: auto; image-rendering: auto; cursor: pointer";
  canvas.addEventListener("pointerdown", event => {
    const box = canvas.getBoundingClientRect();
    const x = 732 * (event.clientX - box.left) / box.width;
    canvas.focus({preventScroll: true});
    event.preventDefault();
    seek(n, clamp((x - left) / (right - left), 0, 0.999) * length);
    play(n);
  });
  canvas.addEventListener("keydown", event => {
    const [dx, dy] = ARROWS[event.key] ?? [0, 0];
    const next = event.key === "Home" ? 0 : event.key === "End" ? last : clamp(n - dy, 0, last);
    if (event.key === " " || event.key === "Enter") audio.paused ? play(k) : stop();
    else if (next !== n || dy || ["Home", "End"].includes(event.key)) {
      seek(next, 0);
      rolls[next].canvas.focus();
    } else if (dx) seek(n, clamp(Math.round((k === n ? at : 0) / beat + dx) * beat, 0, length - beat / 2));
    else return;
    event.preventDefault();
  });
  const name = make("p", {}, label), figure = make("div", {}, name, canvas);
  figure.style.cssText = "flex: 1 1 300px; min-width: 0; max-width: 425px";
  return {picture, canvas, name, figure};
});
const draw = () => {
  const number = Math.floor(at / beat + 1e-6);
  const place = `bar ${1 + (number >> 1)}, beat ${1 + number % 2}`;
  rolls.forEach(({picture, canvas, name}, n) => {
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    name.style.fontWeight = n === k ? "bold" : "normal";
    canvas.setAttribute("aria-valuenow", n === k ? Math.round(at * 1000) : 0);
    canvas.setAttribute("aria-valuetext", n === k ? place : "bar 1, beat 1");
    if (n !== k) return;
    const x = left + (right - left) * at / length;
    line(pen, [[x, 0], [x, 252]], "white", 8);
    line(pen, [[x, 0], [x, 252]], RED, 5);
  });
  const said = `${labels[k]}: ${audio.paused ? "stopped at" : "playing,"} ${place}.`;
  if (words.textContent !== said) words.textContent = said;
  button.textContent = audio.paused ? "play all" : "stop";
  words.setAttribute("aria-live", audio.paused ? "polite" : "off");
};
const seek = (phrase, seconds) => {
  [k, at] = [phrase, seconds];
  until = k * (length + gap) + length;
  audio.currentTime = k * (length + gap) + at;
  draw();
};
const follow = () => {
  const total = audio.currentTime;
  k = clamp(Math.floor(total / (length + gap)), 0, last);
  at = clamp(total - k * (length + gap), 0, length);
  if (total >= until || audio.ended) stop();
  draw();
  if (!audio.paused) requestAnimationFrame(follow);
};
const play = phrase => {
  until = phrase === null ? (last + 1) * (length + gap) : phrase * (length + gap) + length;
  if (at >= length - 0.01) seek(k, 0);
  audio.play().then(() => requestAnimationFrame(follow), () => draw());
};
const stop = () => {
  audio.pause();
  if (at >= length - 0.01) at = 0;
  draw();
};
audio.addEventListener("ended", follow);
const all = () => {
  if (!audio.paused) return stop();
  seek(0, 0);
  play(null);
};
const button = make("button", {type: "button", onclick: all});
button.style.minWidth = "6em";
const controls = make("div", {class: "row"}, button, words);
controls.style.cssText = "align-items: center; margin-top: 6px";
words.style.cssText = "flex: 1 1 18em; min-height: 1.4em";
const sheet = make("div", {class: "row"}, ...rolls.map(roll => roll.figure));
sheet.style.maxWidth = "900px";
root.append(sheet, controls, audio, make("p", {class: "keys"},
  "Touch a roll to hear it from there. Space plays and stops, left and right move by a beat, up and down change the phrase."));
draw();
