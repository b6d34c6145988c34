/** The live view: the camera's picture before a divider, and what viewers see behind it. */

import { request } from "/api.js";

const PERIOD_MS = 125; // the shortest between two pictures
const EMPTY_MS = 500; // and while there is none

const stage = document.querySelector(".stage");
const canvas = stage.querySelector("canvas");
const context = canvas.getContext("2d");
const split = document.getElementById("split");
const placeholder = document.getElementById("placeholder");

let pair = null; // ImageBitmap: before above after
let wanted = false; // by the state of the run
let onScreen = false;
let wake = () => {};

function draw() {
  const share = split.value / 100;
  split.ariaValueText = `${Math.round(split.value)}% before`;
  stage.style.setProperty("--split", `${split.value}%`);
  stage.classList.toggle("only-after", share < 0.2);
  stage.classList.toggle("only-before", share > 0.8);
  if (!pair) return;
  const { width } = pair;
  const height = pair.height / 2;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    stage.style.setProperty("--shape", `${width} / ${height}`);
  }
  context.drawImage(pair, 0, height, width, height, 0, 0, width, height);
  const before = Math.round(width * share);
  if (before) context.drawImage(pair, 0, 0, before, height, 0, 0, before, height);
}

function keep(picture) {
  pair?.close();
  pair = picture;
  stage.classList.toggle("empty", !pair);
  if (pair) draw();
}

const asks = () => wanted && onScreen && !document.hidden;

/** Asks for pictures for ever, but only while somebody can see them here. */
async function poll() {
  for (;;) {
    while (!asks()) await new Promise((resolve) => { wake = resolve; });
    const begin = performance.now();
    let pause = EMPTY_MS;
    try {
      const response = await request("GET", "view");
      const picture = response.status === 204 ? null : await createImageBitmap(await response.blob());
      if (wanted) keep(picture);
      else picture?.close();
      if (picture) pause = PERIOD_MS;
    } catch {
      keep(null); // the stream of states says why
    }
    await new Promise((resolve) => { setTimeout(resolve, pause - (performance.now() - begin)); });
  }
}

export function listen() {
  split.addEventListener("input", draw);
  document.addEventListener("visibilitychange", () => wake());
  new IntersectionObserver(([entry]) => {
    onScreen = entry.isIntersecting;
    wake();
  }).observe(stage);
  draw();
  poll();
}

/** Shows pictures, or words instead of them: a title and a sentence. */
export function show(words) {
  wanted = !words;
  if (words) keep(null);
  const [title, sentence] = words ?? ["No picture yet", ""];
  placeholder.firstElementChild.textContent = title;
  placeholder.lastElementChild.textContent = sentence;
  wake();
}
