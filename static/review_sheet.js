/* The sheet of a bulk Accept.

   A button may carry  data-seen="ID"  it works when the element with this id has been in view, and for no key that is held down
   Before that a press leads to the element. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("button[data-seen]");
  if (!button) return;
  button.setAttribute("aria-disabled", "true");
  const last = document.getElementById(button.dataset.seen);
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    button.removeAttribute("aria-disabled");
    seen.disconnect();
  });
  seen.observe(last);
  button.focus({ preventScroll: true });
  button.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  button.addEventListener("click", (event) => {
    if (!button.hasAttribute("aria-disabled")) return;
    event.preventDefault();
    last.scrollIntoView({ block: "nearest" });
  });
});
