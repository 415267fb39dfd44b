// Keeps the page up to date: asks for it again after ten seconds, as what is there at once may be older, then each minute, and says so when no answer comes. Without it the page is read as it is.
// A screen reader is told what changed in what needs doing, and nothing of the minutes that pass.
"use strict";
const FIRST = 10000;
const EVERY = 60000;
let last = new Date();

function busy() {
  const active = document.activeElement;
  return document.hidden || document.querySelector("details[open]:has(form)") || (active && active.closest("form"));
}

function say(id, words) {
  const place = document.getElementById(id);
  if (place && place.textContent !== words) place.textContent = words;
}

function stale() {
  say("stale", `This page could not be renewed since ${last.toTimeString().slice(0, 5)} by your clock: what it shows is from then.`);
}

function news(live) {
  return [...live.querySelectorAll("h1, .fresh li")].map((element) => element.textContent.trim().replace(/\.?$/, ".")).join(" ");
}

function selector(element) {
  const details = element && element.matches("summary") && element.closest("details[id]");
  if (details) return `#${CSS.escape(details.id)} > summary`;
  const address = element && element.getAttribute("href");
  return address && `a[href="${CSS.escape(address)}"]`;
}

async function renew() {
  if (busy()) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return stale();
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (busy() || !next) return;
    const live = document.getElementById("live");
    const opened = [...document.querySelectorAll("details[open][id]")].map((details) => details.id);
    const focused = live.contains(document.activeElement) && selector(document.activeElement);
    if (news(live) !== news(next)) say("news", news(next));
    live.replaceWith(document.importNode(next, true));
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.querySelector(`#live :is(${focused})`)?.focus({ preventScroll: true });
    last = new Date();
    say("stale", "");
  } catch {
    stale();
  }
}

setTimeout(renew, FIRST);
setInterval(renew, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - last > EVERY) renew(); });
