/** The panel: what the program says is shown, and what the user does is sent. */

import { Changes, follow, json } from "/api.js";
import * as controls from "/controls.js";
import * as plots from "/plots.js";
import * as profiles from "/profiles.js";
import * as view from "/view.js";

const PHASES = {
  stopped: "Stopped", starting: "Starting", running: "Running", stopping: "Stopping",
};

const run = document.getElementById("run");
const changes = new Changes(show, refused);
let latest = null; // state
let connected = false;

/** Text is only set where it changes: a screen reader would say it again. */
function say(id, words) {
  const element = document.getElementById(id);
  if (element.textContent !== words) element.textContent = words;
  return element;
}

function show(state) {
  if (!connected) {
    connected = true;
    refresh(); // what there is to choose may be new as well
  }
  latest = state;
  const { phase, settings } = state;
  document.body.dataset.phase = phase;
  say("phase", PHASES[phase]);
  say("trouble", sentence(state.trouble));
  const words = state.lesser && `For the moment it renders with ${state.lesser}, to hold the frame rate.`;
  say("lesser", words);
  const facts = [state.engine, state.output, state.frame.replace("x", " × ")];
  say("facts", phase === "stopped" ? `Version ${state.version}` : facts.filter(Boolean).join(" · "));
  say("run", stops(phase) ? "Stop" : "Start").ariaDisabled = String(phase === "stopping");
  controls.show(settings, changes);
  plots.show(phase === "running" ? state.measured : null);
  view.show(insteadOfView(state));
  showBadge(phase === "running" ? settings : {});
}

const stops = (phase) => phase !== "stopped";

const sentence = (words) => words && `${words[0].toUpperCase()}${words.slice(1)}`;

/** A title and a sentence where there is no picture; null where there is one. */
function insteadOfView({ phase, settings, watched, trouble }) {
  if (phase === "stopped") return ["Stopped", "Start shows the picture here."];
  if (phase === "starting") return ["Starting", "The camera and the network are made ready."];
  if (phase === "stopping") return ["Stopping", ""];
  if (!watched) return ["Nobody watches", "The camera is off until a program opens the virtual webcam."];
  if (settings.blank) return ["Blank", "Viewers see a card, and the camera is released."];
  if (trouble && !settings.off) {
    return ["Interrupted", "Viewers see a card meanwhile, unless failures pass the camera through."];
  }
  return null;
}

function showBadge({ off, frozen, blank }) {
  const badge = say("badge", off ? "Blur off: everybody sees your room" : "Frozen");
  badge.classList.toggle("danger", Boolean(off));
  badge.hidden = Boolean(blank) || !(off || frozen);
}

function lost(words) {
  connected = false;
  document.body.dataset.phase = "lost";
  say("phase", words);
  run.ariaDisabled = "true";
  say("badge", "").hidden = true;
  plots.show(null);
  view.show(["No connection", "What is shown here may have changed meanwhile."]);
}

function refused({ message, status }) {
  if (status) say("refusal", sentence(message)); // else the stream is lost as well
  if (latest) controls.show(latest.settings, changes);
}

/** The notice of the last refusal is over with the next thing that the user does. */
for (const event of ["pointerdown", "keydown"]) {
  document.addEventListener(event, () => say("refusal", ""), { capture: true });
}

async function refresh() {
  try {
    controls.offer(await json("GET", "choices"));
    await profiles.refresh();
  } catch (error) {
    refused(error);
  }
}

run.addEventListener("click", async () => {
  if (run.ariaDisabled === "true") return;
  try {
    show(await json("POST", stops(latest.phase) ? "stop" : "start"));
  } catch (error) {
    refused(error);
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && connected) refresh(); // a camera may have been plugged in
});

controls.listen(changes);
profiles.listen(show, refused);
view.listen();
follow(show, lost);
