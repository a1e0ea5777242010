/* The sheet of a bulk Accept.

   A button may carry  data-seen="ID"  it has focus, and works for no key that is held down;
                                       where there is an ID, when that element has been in view: before that a press leads to it */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("button[data-seen]");
  if (!button) return;
  button.focus({ preventScroll: true });
  button.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  const last = document.getElementById(button.dataset.seen);
  if (!last) return;
  button.setAttribute("aria-disabled", "true");
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    button.removeAttribute("aria-disabled");
    seen.disconnect();
  });
  seen.observe(last);
  button.addEventListener("click", (event) => {
    if (!button.hasAttribute("aria-disabled")) return;
    event.preventDefault();
    last.scrollIntoView({ block: "nearest" });
  });
});
