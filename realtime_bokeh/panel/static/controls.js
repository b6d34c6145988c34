/** Controls of settings: they send what the user does, and follow what the program says. */

import { ask } from "/ask.js";

const bound = [...document.querySelectorAll("#controls [data-setting]")];
const sliders = bound.filter((each) => each.type === "range");
const tiles = bound.filter((each) => each.ariaPressed !== null);
const selects = bound.filter((each) => each.dataset.choices);

const held = new Set(); // sliders under a finger, which do not move by themselves

/** Begins to send what the user does through `changes`; see `Changes`. */
export function listen(changes) {
  for (const slider of sliders) {
    slider.addEventListener("input", () => {
      label(slider);
      changes.send({ [slider.dataset.setting]: Number(slider.value) });
    });
    slider.addEventListener("pointerdown", () => held.add(slider));
  }
  for (const end of ["pointerup", "pointercancel", "blur"]) {
    window.addEventListener(end, () => held.clear()); // wherever the finger is by then
  }
  for (const tile of tiles) {
    tile.addEventListener("click", async () => {
      const setting = tile.dataset.setting;
      const on = tile.ariaPressed !== "true";
      if (setting === "off" && on && !(await sure())) return;
      changes.send({ [setting]: on });
    });
  }
  for (const select of selects) {
    select.addEventListener("change", () => {
      changes.send({ [select.dataset.setting]: select.value });
    });
  }
}

function sure() {
  return ask(
    "Switch the blur off?", "Everybody who watches your camera will see your room.",
    "Show my room", "Keep the blur",
  );
}

/** Shows settings, except where the user's newer value is still under way. */
export function show(settings, changes) {
  for (const control of bound) {
    const setting = control.dataset.setting;
    if (held.has(control) || changes.pending(setting)) continue;
    const value = settings[setting];
    if (control.ariaPressed !== null) control.ariaPressed = String(value);
    else if (control.dataset.choices) pick(control, value);
    else {
      control.value = value;
      label(control);
    }
  }
}

function label(slider) {
  const percent = `${Math.round(slider.value * 100)}%`;
  document.querySelector(`output[for=${slider.id}]`).textContent = percent;
  slider.ariaValueText = percent;
  slider.style.setProperty("--filled", percent);
}

function pick(select, value) {
  if (![...select.options].some((option) => option.value === value)) {
    select.add(new Option(value, value)); // a clip as camera, or a size of the user's own
  }
  if (select.value !== value) select.value = value;
}

/** Fills the lists with what there is to choose; the chosen ones stay chosen. */
export function offer(choices) {
  for (const select of selects) fill(select, choices[select.dataset.choices]);
}

/** Gives a list its options, if they are others than it has: an open list would close. */
export function fill(select, options) {
  const present = [...select.options].map(({ value, text }) => ({ name: value, label: text }));
  if (JSON.stringify(present) === JSON.stringify(options)) return;
  const chosen = select.value;
  select.replaceChildren(...options.map(({ name, label }) => new Option(label, name)));
  if (chosen) pick(select, chosen);
}
