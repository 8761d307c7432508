// Real or drawn? One picture after another, no answer before the last; hits beside those of guessing.
const {pictures, sounds, count, rounds, width, height, caption} = spec;  // the first `count` are real
const held = pictures.map(src => Object.assign(new Image(), {src, onload: () => draw()}));
const scale = Math.min(Math.max(Math.ceil(340 / height), 1), 860 / width), coin = () => Math.random() < 0.5;
const audio = new Audio(), NAMES = ["drawn", "real"];
let order = [], votes = [];
const mixed = list => {
  for (let k = list.length - 1; k > 0; k--) {
    const j = Math.floor((k + 1) * Math.random());
    [list[k], list[j]] = [list[j], list[k]];
  }
  return list;
};
const begin = () => {  // a coin decides of each whether it is real, as long as there are some of both
  const bags = [count, 0].map(from => mixed([...Array(from ? pictures.length - count : count).keys()]
    .map(n => n + from)));
  order = Array.from({length: rounds}, () => (bags[+coin()].pop() ?? bags[0].pop() ?? bags[1].pop()));
  votes = [];
  sound();
  draw();
};
const real = n => +(order[n] < count);
const sound = () => {
  audio.pause();
  if (sounds.length && votes.length < rounds) audio.src = sounds[order[votes.length]];
};
const chance = (n, k) => {  // of exactly k heads of n coins
  let p = 2 ** -n;
  for (let i = 0; i < k; i++) p *= (n - i) / (i + 1);
  return p;
};
const guessing = n => {  // the narrowest range, symmetric, that holds 95 % of those who toss a coin
  let low = Math.floor(n / 2), share = 0;
  for (; low >= 0; low--) {
    share = 0;
    for (let k = low; k <= n - low; k++) share += chance(n, k);
    if (share >= 0.95) break;
  }
  return [low, n - low];
};
const vote = said => {
  if (votes.length === rounds) return;
  votes.push(said);
  sound();
  draw();
  if (votes.length === rounds) again.focus({preventScroll: true});
};
const draw = () => {
  const n = votes.length, done = n === rounds;
  if (!order.length) return;
  stage.style.display = done ? "none" : "";
  again.style.display = done ? "" : "none";
  answers.replaceChildren(...(done ? [1, 0].map(sorted) : []));
  if (done) {
    const hits = votes.filter((said, k) => said === real(k)).length, [low, high] = guessing(rounds);
    words.textContent = `${hits} of ${rounds} right. Who tosses a coin gets ${low} to ${high}, in 95 of `
      + `100 tries at least: ${hits > high ? "you can tell them apart." : hits < low
        ? "you see a difference, and take the drawn ones for real." : "this is what guessing looks like."}`;
    return;
  }
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(held[order[n]], 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `${n + 1} of ${rounds}: real or drawn?`);
  words.textContent = `${n + 1} of ${rounds}: real or drawn?`;
};
const sorted = truth => {
  const shown = [...order.keys()].filter(n => real(n) === truth).map(n => {
    const right = votes[n] === truth, says = `you said ${NAMES[votes[n]]}`;
    const image = make("img", {src: pictures[order[n]], alt: `${NAMES[truth]}, ${says}`});
    image.style.cssText = `width: ${clamp(scale * width / 6, 64, 170)}px; height: auto; border: 3px `
      + `${right ? "solid " + GREEN : "dashed " + RED}; image-rendering: ${scale < 2 ? "auto" : "pixelated"}`;
    const figure = make("div", {}, image, make("div", {}, right ? "✓" : "✗ " + says));
    figure.style.cssText = `font-size: 14px; width: ${sounds.length ? 172 : 106}px; text-align: center`;
    if (!sounds.length) return figure;
    figure.append(make("button", {type: "button", "aria-label": `listen to this ${NAMES[truth]} one`,
      onclick: () => { audio.src = sounds[order[n]]; audio.play(); }}, "listen"));
    return figure;
  });
  const row = make("div", {class: "row"}, ...shown);
  row.style.cssText = "gap: 6px 8px; max-width: 860px";
  return make("div", {}, make("p", {}, make("b", {}, `${NAMES[truth]}: ${shown.length}`)), row);
};
const canvas = make("canvas", {tabindex: 0, role: "img", width: width * Math.max(1, Math.floor(scale)),
  height: height * Math.max(1, Math.floor(scale)), onpointerdown: event => {
    const box = canvas.getBoundingClientRect();
    canvas.focus({preventScroll: true});
    event.preventDefault();
    if (sounds.length) listen();
    else vote(+(event.clientX < box.left + box.width / 2));
  }});
canvas.style.cssText = `width: ${scale * width}px; max-width: 100%; height: auto`;
const press = (name, does) => {
  const made = make("button", {type: "button", onclick: does}, name);
  made.style.cssText = "flex: 1 1 6em; min-height: 44px; font-weight: bold";
  return made;
};
const listen = () => {
  if (!audio.paused) return audio.pause();
  audio.currentTime = 0;
  audio.play().catch(() => {});
};
const buttons = make("div", {class: "row"}, press("← real (R)", () => vote(1)),
  ...(sounds.length ? [press("listen (L)", listen)] : []), press("drawn (D) →", () => vote(0)));
buttons.style.cssText = `gap: 8px; margin-top: 6px; max-width: ${scale * width}px`;
const stage = make("div", {}, canvas, buttons), answers = make("div");
const again = press("again", () => { begin(); canvas.focus({preventScroll: true}); });
again.style.flex = "none";
root.addEventListener("keydown", event => {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (key === "r" || key === "arrowleft") vote(1);
  else if (key === "d" || key === "arrowright") vote(0);
  else if (key === "l" && sounds.length) listen();
  else return;
  event.preventDefault();
});
words.style.minHeight = "1.4em";
stage.append(make("p", {class: "keys"}, (sounds.length ? "Touch the picture to listen, a button to vote"
  : "Touch the left half for real, the right half for drawn, or a button") + "; from then on the keys "
  + "R and D work, too. The answers come at the end."));
root.append(make("p", {}, caption), words, stage, again, answers);
begin();
