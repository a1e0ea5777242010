/* What was typed when the portal had to ask who is there, could not answer, or was left, is offered back in the form it was typed into.

   A form whose words are worth it carries  data-typed="name"  and, where only the server can build it again, data-again="field to add";
   a page that took the place of an answer has [data-unanswered], and every page of somebody signed in [data-person].
   It all stays in this tab, is offered to the same person only, and goes with signing out. */
"use strict";

{
  const SENT = "sent "; // with a form that loads a page: what that page is, the next one tells
  const KEPT = "kept ";
  const OFFER = "What you typed here before is still in this tab.";
  const touched = new Set();
  let person;

  const keyOf = (form) => `${person} ${form.dataset.typed}`;
  const keys = (state) => Object.keys(sessionStorage).filter((key) => key.startsWith(state));
  const forms = () => [...document.querySelectorAll("form[data-typed]")];
  const entriesOf = (form) => [...new FormData(form)].filter(([name]) => !["csrf_token", "seen"].includes(name) && (name !== "version" || form.dataset.again));
  const isTyped = (field) => field.name && !["hidden", "submit", "button"].includes(field.type);

  function keep(state, form) {
    sessionStorage.setItem(state + keyOf(form), JSON.stringify(entriesOf(form)));
  }

  function forget(form) {
    sessionStorage.removeItem(KEPT + keyOf(form));
  }

  function forgetAll() {
    touched.clear();
    for (const key of [...keys(SENT), ...keys(KEPT)]) sessionStorage.removeItem(key);
  }

  /* On arriving: what was sent is recorded or shown again, unless this page stands in the place of the answer. */
  function settle() {
    const unanswered = document.querySelector("[data-unanswered]");
    for (const key of keys(SENT)) {
      if (unanswered) sessionStorage.setItem(KEPT + key.slice(SENT.length), sessionStorage.getItem(key));
      sessionStorage.removeItem(key);
    }
    const others = person ? keys(KEPT).filter((key) => !key.startsWith(`${KEPT}${person} `)) : [];
    for (const key of others) sessionStorage.removeItem(key);
  }

  function focusIn(form) {
    [...form.elements].find(isTyped)?.focus();
  }

  function fillIn(form, entries) {
    for (const field of [...form.elements].filter(isTyped)) {
      const values = entries.filter(([name]) => name === field.name).map(([, value]) => value);
      if (["checkbox", "radio"].includes(field.type)) field.checked = values.includes(field.value);
      else if (values.length) field.value = values[0];
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    focusIn(form);
  }

  /* With the version that was seen, so that nobody's later words are written over unseen. */
  function sendAgain(form, entries) {
    sessionStorage.setItem(SENT + keyOf(form), JSON.stringify(entries));
    const again = document.createElement("form");
    again.method = "post";
    again.action = form.action;
    for (const [name, value] of [["csrf_token", form.elements.csrf_token.value], [form.dataset.again, "typed"], ...entries]) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      again.append(field);
    }
    document.body.append(again);
    again.submit();
  }

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  }

  function offer(form) {
    const kept = sessionStorage.getItem(KEPT + keyOf(form));
    if (!kept || form.querySelector(".offer")) return;
    if (kept === JSON.stringify(entriesOf(form))) return forget(form);
    const putBack = form.dataset.again ? sendAgain : fillIn;
    const note = document.createElement("p");
    note.className = "note offer";
    const after = (act) => () => {
      forget(form);
      note.remove();
      act();
    };
    note.append(`${OFFER} `, button("Put it back", after(() => putBack(form, JSON.parse(kept)))), " ", button("Discard", after(() => focusIn(form))));
    form.prepend(note);
    form.closest("details")?.setAttribute("open", "");
    say(OFFER, true);
  }

  document.addEventListener("input", ({ target }) => target.form?.dataset.typed && touched.add(target.form.dataset.typed));
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-forgets]")) forgetAll();
    else if (event.target.dataset.typed && !event.defaultPrevented) {
      keep(SENT, event.target);
      touched.delete(event.target.dataset.typed);
    }
  });
  // Leaving the page by a link, Back or closing what shows it: the forms that were typed into and not sent.
  window.addEventListener("pagehide", () => forms().filter((form) => touched.has(form.dataset.typed)).forEach((form) => keep(KEPT, form)));
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    const left = ctx.response.status === 401 ? forms().filter((form) => touched.has(form.dataset.typed)) : [];
    left.forEach((form) => keep(KEPT, form));
  });
  document.addEventListener("htmx:after:swap", () => forms().forEach(offer));

  document.addEventListener("DOMContentLoaded", () => {
    person = document.querySelector("[data-person]")?.dataset.person;
    settle();
    forms().forEach(offer);
    document.querySelector(".offer button")?.focus();
  });
}
