// Asks the gateway every five seconds, and says so when it does not answer.
const main = document.querySelector("main");
const stale = document.getElementById("stale");
let answered = new Date();
const time = (when) => when.toTimeString().slice(0, 8);
async function look() {
  try {
    const answer = await fetch("now", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(answer.status);
    main.innerHTML = await answer.text();
    answered = new Date();
    stale.hidden = true;
  } catch {
    stale.textContent = `The gateway has not answered since ${time(answered)}: what is below is of then.`;
    stale.hidden = false;
  }
}
setInterval(look, 5000);
