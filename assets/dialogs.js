// What the page says to the user and asks of them.

const TOAST_TIME = 4000;
const IMPORTANT_TIME = 15000;
/** Lines shown of what is about to be pasted. */
const PREVIEW = 6;

const $ = (id) => document.getElementById(id);
let toastTimer = null;
let importantUntil = 0;

/** Says something in passing; what is `important` stays long enough to be read by somebody who looked away. */
export function say(text, important = false) {
  if (!important && Date.now() < importantUntil) return;
  clearTimeout(toastTimer);
  const time = important ? IMPORTANT_TIME : TOAST_TIME;
  importantUntil = important ? Date.now() + time : 0;
  $("toast").textContent = text;
  toastTimer = setTimeout(() => { $("toast").textContent = ""; }, time);
}

/** Takes back what was said in passing: it is no longer so. */
export function hush() {
  importantUntil = 0;
  clearTimeout(toastTimer);
  $("toast").textContent = "";
}

/** Asks; `yes` is what the button says that agrees. */
export function confirmed(question, yes, detail = "") {
  const dialog = $("ask");
  const preview = dialog.querySelector("pre");
  dialog.querySelector("p").textContent = question;
  dialog.querySelector("[value=yes]").textContent = yes;
  preview.hidden = detail === "";
  preview.textContent = detail;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => {
      // The end of an earlier question may be told only now.
      if (dialog.open) return;
      dialog.removeEventListener("close", closed);
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", closed);
  });
}

export function confirmPaste(text) {
  const lines = text.replace(/(\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/);
  const more = lines.length > PREVIEW ? `\n… ${lines.length - PREVIEW} more` : "";
  const what = lines.length === 1 ? "this line and its end" : `${lines.length} lines`;
  return confirmed(`Paste ${what}? This program takes each line as a command.`, "Paste", lines.slice(0, PREVIEW).join("\n") + more);
}

/**
 * Tells what happened and what can be done about it: `actions` are labels with functions. It covers the terminal, unless
 * it stands `below`. Null takes it away.
 */
export function note(heading, text = "", { actions = [], below = false } = {}) {
  const host = $("note");
  host.hidden = heading === null;
  host.classList.toggle("below", below);
  host.querySelector("h2").textContent = heading ?? "";
  host.querySelector("p").textContent = text;
  host.querySelector(".actions").replaceChildren(...actions.map(([label, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }));
}
