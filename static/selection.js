/* The ticks of a list: counted, kept in this tab for the same person and page, taken away when a record says that they are done.

   The table is .selectable, a tick stands in .tick, and the form #selection has the buttons for what is ticked. */
"use strict";

{
  const KEPT = "ticks ";
  let last = ""; // what was ticked last: where a range begins

  const one = (id) => document.getElementById(id);
  const boxes = () => [...document.querySelectorAll(".selectable .tick input")];
  const ticked = () => boxes().filter((box) => box.checked);
  const clean = () => boxes().filter((box) => box.closest("tr[data-clean]"));
  const ours = () => `${KEPT}${document.querySelector("[data-person]")?.dataset.person} `;
  const page = () => `${ours()}${location.pathname}${location.search}`;
  const keys = (start) => Object.keys(sessionStorage).filter((key) => key.startsWith(start));
  const kept = (key) => JSON.parse(sessionStorage.getItem(key) ?? "[]");

  function keep(key, ids) {
    if (ids.length) sessionStorage.setItem(key, JSON.stringify(ids));
    else sessionStorage.removeItem(key);
  }

  function tell() {
    const count = ticked().length;
    const words = count ? `${count} selected` : "None selected";
    if (one("selected").textContent !== words) one("selected").textContent = words;
    one("selection").classList.toggle("some", count > 0);
    one("selection").querySelectorAll("button").forEach((button) => (button.disabled = !count));
    one("select-all").checked = count > 0 && count === boxes().length;
    one("select-all").indeterminate = count > 0 && count < boxes().length;
  }

  function count() {
    const ready = document.querySelectorAll("tr[data-clean]").length;
    for (const [id, verb] of [["accept-clean", "Accept"], ["select-clean", "Select"]]) {
      one(id).textContent = `${verb} ${ready} clean`;
      one(id).hidden = !ready;
    }
  }

  function tick(which, on) {
    which.forEach((box) => (box.checked = on));
    keep(page(), ticked().map((box) => box.value));
    tell();
  }

  /* All between the last tick and this one become as this one. */
  function range(box) {
    const all = boxes();
    const ends = [all.findIndex((other) => other.value === last), all.indexOf(box)].sort((a, b) => a - b);
    tick(ends[0] < 0 ? [box] : all.slice(ends[0], ends[1] + 1), box.checked);
  }

  function restore() {
    const ids = kept(page());
    tick(boxes().filter((box) => ids.includes(box.value)), true);
  }

  document.addEventListener("click", ({ target, shiftKey }) => {
    if (target.matches(".selectable .tick input")) {
      if (shiftKey) range(target);
      else tick([target], target.checked);
      last = target.value;
    } else if (target.id === "select-clean") tick(clean(), true);
    else if (target.id === "select-all") tick(boxes(), target.checked);
    else if (target.id === "clear-selection") {
      tick(boxes(), false);
      one("select-all").focus();
    }
  });

  document.addEventListener("htmx:after:swap", () => {
    if (!one("selection")) return;
    restore();
    count();
  });

  document.addEventListener("submit", ({ target }) => {
    if (target.matches("[data-forgets]")) keys(KEPT).forEach((key) => sessionStorage.removeItem(key));
  });

  document.addEventListener("DOMContentLoaded", () => {
    const done = document.querySelector("[data-done]")?.dataset.done.split(" ") ?? [];
    for (const key of done.length ? keys(ours()) : []) keep(key, kept(key).filter((id) => !done.includes(id)));
    if (!one("selection")) return;
    one("select-all").removeAttribute("name"); // what is sent are the ticks that can be seen
    restore();
  });
}
