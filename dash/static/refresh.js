// Keeps the page up to date: asks for it again after ten seconds, as what is there at once may be older, then each minute, and says so when no answer comes. Without it the page is read as it is.
"use strict";
const FIRST = 10000;
const EVERY = 60000;
const since = new Date();
let last = since;

function busy() {
  const active = document.activeElement;
  return document.hidden || document.querySelector("details[open]:has(form)") || (active && active.closest("form"));
}

function stale() {
  const place = document.getElementById("stale");
  if (!place) return;
  const minutes = Math.round((Date.now() - last) / 60000);
  place.textContent = `This page could not be renewed for ${minutes} min: what it shows is from then.`;
  place.hidden = false;
}

async function renew() {
  if (busy()) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return stale();
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (busy() || !next) return;
    const opened = [...document.querySelectorAll("details[open][id]")].map((details) => details.id);
    const focused = document.activeElement && document.activeElement.getAttribute("href");
    document.getElementById("live").replaceWith(document.importNode(next, true));
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.querySelector(`#live a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    last = new Date();
  } catch {
    stale();
  }
}

setTimeout(renew, FIRST);
setInterval(renew, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - last > EVERY) renew(); });
