/** A question before what cannot be taken back. */

const dialog = document.querySelector("dialog");
const [no, yes] = dialog.querySelectorAll("button");

/** Whether the user says yes; Escape says no. */
export function ask(question, consequence, yesWords, noWords) {
  document.getElementById("question").textContent = question;
  document.getElementById("consequence").textContent = consequence;
  yes.textContent = yesWords;
  no.textContent = noWords;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
