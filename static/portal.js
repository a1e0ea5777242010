/* It fits htmx to people who use a keyboard or a screen reader. Without it every form still works.

   A fragment may carry  data-focus="#id"   where focus goes when it has been swapped in
                         data-say="text"    the sentence for the live region #say
                         data-next="key"    focus goes on to the next row of the page that has a button with the id KEY-..., and the sentence says which
   A button may carry    data-busy="text"   its words while the server takes longer than a moment */
"use strict";

const NO_ANSWER = "No answer from the server. What you typed is still here. Reload the page to see what is recorded.";
const MOMENT = 150;
const ASK_AGAIN = 15000;

const region = (id) => document.getElementById(id);
const asksByItself = (element) => element.matches("[hx-trigger^='load']");

function say(text, onlyAloud = false) {
  region("say").textContent = "";
  region("say").classList.toggle("hidden", onlyAloud);
  setTimeout(() => (region("say").textContent = text), 50); // the same sentence twice is read twice
}

function alertWith(text) {
  region("alert").innerHTML = "<p class='alert'></p>";
  region("alert").firstChild.textContent = text;
}

function focusOn(element) {
  if (!element) return false;
  element.closest(".more")?.setAttribute("open", "");
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus();
  return document.activeElement === element;
}

/* Focus contract: where the fragment says; else, if focus was in what was replaced, the same thing in what replaces it, its row,
   its table's caption, the page. */
function moveFocus(target, lost, held) {
  const named = target?.matches("[data-focus]") ? target : target?.querySelector("[data-focus]");
  const wish = named?.dataset.focus;
  named?.removeAttribute("data-focus");
  if (wish && focusOn(document.querySelector(wish))) return;
  if (!wish && !(lost && document.activeElement === document.body)) return;
  (held && focusOn(region(held))) || focusOn(target?.closest("tr")) || focusOn(document.querySelector("caption")) || focusOn(region("main"));
}

/* The next row is one that stands on this page: behind this one, else from the top. Where there is none, the way to the next page. */
function leadOn(row) {
  const key = row?.dataset.next;
  if (!key) return;
  row.removeAttribute("data-next");
  const rows = [...row.closest("table").querySelectorAll("tbody > tr")];
  const at = rows.indexOf(row);
  const button = (other) => other.querySelector(`button[id^="${key}-"]`);
  const next = [...rows.slice(at + 1), ...rows.slice(0, at)].find(button);
  if (next) {
    row.dataset.focus = `#${button(next).id}`;
    row.dataset.say += ` Now on ${next.dataset.named}.`;
  } else if (document.querySelector(".pages [rel='next']")) row.dataset.focus = ".pages [rel='next']";
}

function speak(target) {
  const speaker = target?.matches("[data-say]") ? target : target?.querySelector("[data-say]");
  if (speaker) say(speaker.dataset.say);
  speaker?.removeAttribute("data-say");
}

function busy(context, button) {
  if (!button?.dataset.busy) return;
  const words = button.textContent;
  const timer = setTimeout(() => (button.textContent = button.dataset.busy), MOMENT);
  context.rest = () => {
    clearTimeout(timer);
    button.textContent = words;
  };
}

/* Where the eye is: beside the button that was pressed. The region says it aloud. */
function saidBeside(source, text) {
  const place = source.closest("form")?.querySelector(".actions") ?? source.closest("form, .actions") ?? source;
  const note = document.createElement("p");
  note.className = "error unanswered";
  note.textContent = text;
  place.after(note);
}

function failed(context, text) {
  alertWith(text);
  const source = context.sourceElement;
  if (asksByItself(source)) setTimeout(() => source.isConnected && htmx.process(source, true), ASK_AGAIN);
}

/* No one looks at a hidden tab: what asks by itself rests there, and asks at once when the tab is shown again. */
const paused = new Set();

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  const woken = [...paused].filter((source) => source.isConnected);
  paused.clear();
  woken.forEach((source) => htmx.ajax("GET", source.getAttribute("hx-get"), { source, target: source, swap: "outerHTML" }));
});

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const source = ctx.sourceElement;
  if (document.hidden && asksByItself(source)) {
    paused.add(source);
    event.preventDefault();
    return;
  }
  ctx.hadFocus = source.contains(document.activeElement) || source.contains(ctx.focused);
  if (!asksByItself(source)) {
    region("alert").textContent = "";
    document.querySelectorAll(".unanswered").forEach((note) => note.remove());
  }
  ctx.busy = source.closest("form, tr") ?? source;
  ctx.busy.setAttribute("aria-busy", "true");
  busy(ctx, ctx.request.submitter ?? source);
});

// Before htmx disables the button that was pressed, and focus with it.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => (ctx.focused = document.activeElement));

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  ctx.tasks = tasks;
  ctx.held = document.activeElement?.id;
  ctx.hadFocus ||= tasks.some((task) => task.target?.contains?.(document.activeElement));
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const targets = (ctx.tasks ?? []).map((task) => task.target).filter((target) => target?.isConnected);
  targets.forEach(leadOn);
  targets.forEach(speak);
  targets.slice(0, 1).forEach((target) => moveFocus(target, ctx.hadFocus, ctx.held));
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  ctx.busy?.removeAttribute("aria-busy");
  ctx.rest?.();
});

document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.response.status < 500) return;
  const page = new DOMParser().parseFromString(ctx.text, "text/html");
  failed(ctx, page.querySelector(".alert")?.textContent ?? NO_ANSWER);
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (!ctx) return;
  failed(ctx, NO_ANSWER);
  if (!asksByItself(ctx.sourceElement)) saidBeside(ctx.sourceElement, NO_ANSWER);
});

/* Counters: <span data-count="ID"> says how many characters the field has. */
document.addEventListener("input", ({ target }) => {
  const counter = target.id && document.querySelector(`[data-count="${CSS.escape(target.id)}"]`);
  if (counter) counter.textContent = [...target.value.trim()].length;
});
