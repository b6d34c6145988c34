/** Profiles: settings under a name. */

import { json, request } from "/api.js";
import { ask } from "/ask.js";
import { fill } from "/controls.js";

const list = document.getElementById("profile");
const name = document.getElementById("profile-name");
const kept = document.getElementById("kept");
const buttons = [document.getElementById("load"), document.getElementById("delete")];

/** Reads which profiles there are; `chosen` is the one to show. */
export async function refresh(chosen = list.value) {
  const { profiles } = await json("GET", "profiles");
  fill(list, profiles.length ? profiles.map((each) => ({ name: each.name, label: each.name }))
    : [{ name: "", label: "None saved yet" }]);
  list.value = chosen;
  if (list.selectedIndex < 0) list.selectedIndex = 0;
  for (const button of buttons) button.ariaDisabled = String(!list.value);
}

/** Begins to listen to the user; `onState` gets the state that loading brings. */
export function listen(onState, onRefused) {
  const [load, remove] = buttons;
  const path = (which) => `profiles/${encodeURIComponent(which)}`;
  const acts = (control, event, act) => control.addEventListener(event, async (happened) => {
    happened.preventDefault();
    if (control.ariaDisabled === "true") return;
    try {
      kept.textContent = (await act()) ?? "";
    } catch (refused) {
      onRefused(refused);
    }
  });

  acts(load, "click", async () => {
    onState(await json("POST", `${path(list.value)}/load`));
    return `Loaded ${list.value}`;
  });
  acts(remove, "click", async () => {
    const which = list.value;
    if (!(await ask(`Delete ${which}?`, "The profile's file is removed.", "Delete", "Keep"))) return "";
    await request("DELETE", path(which));
    await refresh();
    return `Deleted ${which}`;
  });
  acts(document.getElementById("save"), "submit", async () => {
    const which = name.value;
    const taken = [...list.options].some((option) => option.value === which);
    const replace = "It gets the present settings.";
    if (taken && !(await ask(`Replace ${which}?`, replace, "Replace", "Keep"))) return "";
    await request("PUT", path(which));
    name.value = "";
    await refresh(which);
    return `Saved ${which}`;
  });
}
