/* Keys, for people who have not switched them off. Each presses what is on the page, so that a key does nothing that no button does.
   A key that is held down presses no button twice. */
"use strict";

{
  const TYPED = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  const ROW = ":is(.change-orders, .groups) tbody > tr[id]";
  const SOON = 1500; // ms between g and the letter behind it
  const WAYS = { r: "a[href$='view=ready']", f: ".tabs a[href$='/failures']", a: ".views a[href$='view=all']", s: ".tabs a[href*='/settings']" };

  let recalled = ""; // the button that takes back the last decision
  let went = 0;
  let early = []; // pressed before htmx has seen the page, when a button would lead to another page; null from then on

  const rows = () => [...document.querySelectorAll(ROW)].filter((row) => row.checkVisibility());
  const here = () => document.activeElement.closest(ROW);
  const press = (element) => (element?.click(), Boolean(element));
  const selected = (verb) => press(document.querySelector(`#selected-${verb}:not(:disabled)`));
  const tick = (shiftKey) => {
    const box = (here() ?? rows()[0])?.querySelector(".tick input");
    return Boolean(box?.checkVisibility() && (box.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey })), true));
  };
  const inRow = (selector) => press((here() ?? rows()[0])?.querySelector(selector));
  const atFocus = (selector) => press(here()?.querySelector(selector)); // what acts at once, or is rare, is pressed in no row but the chosen one

  const preset = (number) => {
    const chip = `.presets button:nth-of-type(${number})`;
    return inRow(chip) || press(document.querySelector(`main > form ${chip}`));
  };

  function step(by) {
    const all = rows();
    const at = all.indexOf(here());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    next?.querySelector("th a")?.focus();
    return Boolean(next);
  }

  function fold() {
    const open = (here() ?? rows()[0])?.querySelectorAll("details:not(.more)");
    const shut = [...(open ?? [])].some((part) => !part.open);
    open?.forEach((part) => (part.open = shut));
    return Boolean(open?.length);
  }

  function go(key) {
    const way = WAYS[key];
    const isWay = way && Date.now() - went < SOON;
    went = 0;
    return isWay && press(document.querySelector(way));
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => here() && step(1),
    ArrowUp: () => here() && step(-1),
    o: () => fold() || (here()?.matches(".group") && atFocus("th a")),
    a: () => selected("accept") || inRow("button:is([id^='accept-'], [id^='retries-'])") || atFocus("button:is([id^='retry-'], [id^='first-'])"),
    r: () => selected("reject") || inRow("button:is([id^='reject-'], [id^='rejections-'])"),
    f: () => atFocus("button[id^='first-']"),
    l: () => atFocus("button[id^='look-up-']"),
    i: () => atFocus("button[id^='present-']"),
    I: () => atFocus("button[id^='absent-']"),
    v: () => atFocus("button[id^='review-']"),
    m: () => atFocus("button[id^='manual-']"),
    w: () => press(document.querySelector(".upkeep label[for='owner']")),
    c: () => press(document.querySelector(".upkeep label[for='note']")),
    e: () => press(document.querySelector("#archive")),
    h: () => selected("hold") || inRow("[id^='hold-']"),
    x: () => tick(false),
    X: () => tick(true),
    A: () => press(document.querySelector("#select-clean:not([hidden])")),
    "*": () => press(document.querySelector("#clear-selection:not(:disabled)")),
    z: () => press(document.getElementById(recalled) ?? document.getElementById("undo")),
    "/": () => (document.getElementById("q")?.select(), Boolean(document.getElementById("q"))),
    g: () => Boolean((went = Date.now())),
    "?": () => press(document.querySelector("#keys > summary")),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((number) => [number, () => preset(number)])),
  };

  const act = (key) => go(key) || (Object.hasOwn(KEYS, key) && KEYS[key]());
  const take = (key) => (early ? Object.hasOwn(KEYS, key) && early.push(key) : act(key));

  document.addEventListener("DOMContentLoaded", () =>
    setTimeout(() => {
      const keys = early;
      early = null;
      keys.forEach(act);
    }),
  );

  function inForm(event) {
    if (event.key === "Escape") return inRow("button[form^='cancel-']") || press(document.querySelector("form.decision a.cancel"));
    return event.key === "Enter" && event.ctrlKey && press(event.target.closest("form.decision")?.querySelector("button.danger, button.primary"));
  }

  document.addEventListener("keydown", (event) => {
    const { key, target, repeat } = event;
    if (repeat && (key === "Enter" || key === " ") && target.closest("button, a, summary")) return event.preventDefault();
    if (!document.querySelector("[data-keys]") || event.metaKey || event.altKey || event.isComposing) return;
    if (repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(key)) return;
    const done = inForm(event) || (!event.ctrlKey && !target.matches(TYPED) && take(key));
    if (done) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const button = (ctx.tasks ?? []).map(({ target }) => target?.querySelector?.("button[id^='recall-']")).find(Boolean);
    if (button && ctx.request?.method === "POST") recalled = button.id;
  });
}
