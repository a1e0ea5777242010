/* The editor of a change order: what the checks say beside the fields, and lines by keyboard. Without it the form still works. */
"use strict";

const REST = 1000;

/* Findings beside their fields: each <li data-at="ID"> of #findings is written into #at-ID, and marks the field when it blocks. */
function writeBeside(list) {
  document.querySelectorAll(".beside").forEach((place) => place.replaceChildren());
  document.querySelectorAll(".edit [aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
  for (const item of list.querySelectorAll("[data-at]")) {
    const text = document.createElement("p");
    const blocks = item.classList.contains("blocking");
    text.className = blocks ? "error" : "hint";
    text.textContent = item.querySelector(".said").textContent;
    region(`at-${item.dataset.at}`)?.append(text);
    if (blocks) region(item.dataset.at)?.matches("input, textarea") && region(item.dataset.at).setAttribute("aria-invalid", "true");
  }
}

document.addEventListener("htmx:after:swap", () => {
  const list = region("findings");
  if (list && !list.dataset.written) writeBeside(list);
  if (list) list.dataset.written = "yes";
});

/* The verdict of the checks is said when it has changed and the typing rests; eyes find it under the lines. */
let lastVerdict;
let resting;

document.addEventListener("DOMContentLoaded", () => (lastVerdict = region("findings")?.dataset.verdict));

function sayVerdict() {
  clearTimeout(resting);
  resting = setTimeout(() => {
    const verdict = region("findings")?.dataset.verdict;
    if (verdict && verdict !== lastVerdict) say(verdict, true);
    lastVerdict = verdict;
  }, REST);
}

document.addEventListener("input", ({ target }) => target.closest(".edit") && sayVerdict());
document.addEventListener("htmx:after:swap", () => region("findings") && sayVerdict());

/* Lines by keyboard: each key presses a button that is there. Enter goes down, as in a spreadsheet: it neither saves nor sends. */
function lineKey({ key, altKey, target }, add) {
  const row = target.closest(".lines tbody tr");
  if (key === "Enter" && altKey) return () => add.click();
  if (key === "Delete" && altKey && row) return () => row.querySelector("button[name='remove']").click();
  if (key !== "Enter" || !row || !target.matches("input")) return null;
  const below = row.nextElementSibling?.cells[target.closest("td").cellIndex].querySelector("input");
  const isBlank = [...row.querySelectorAll("input")].every((field) => !field.value.trim());
  if (below) return () => (below.focus(), below.select());
  return () => isBlank || add.click();
}

document.addEventListener("keydown", (event) => {
  const add = event.target.closest(".edit")?.querySelector("button[name='add']");
  if (!add || event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const act = lineKey(event, add);
  if (act) event.preventDefault();
  if (act && !event.repeat) act();
});
