// A lost connection: said in a banner, and tried again, less and less often, until it is back.

import { announce, byId, showText } from "./dom.js";
import { place } from "./api.js";

const MAX_WAIT_SECONDS = 16;
let waitSeconds = 0;
let timer = 0;
let whenBack = () => {};

/** Call this once; `back` is called each time the server answers again. */
export function watchConnection(back) {
  whenBack = back;
  byId("lost-again").addEventListener("click", tryAgain);
  addEventListener("offline", connectionLost);
  addEventListener("online", () => waitSeconds && tryAgain());
}

/** Say that the server cannot be reached, and begin to try again. */
export function connectionLost() {
  if (waitSeconds) return;
  waitSeconds = 1;
  byId("lost").hidden = false;
  waitAndTry();
}

function waitAndTry() {
  showText(byId("lost-wait"), `Trying again in ${waitSeconds} s.`);
  timer = setTimeout(tryAgain, 1000 * waitSeconds);
  waitSeconds = Math.min(2 * waitSeconds, MAX_WAIT_SECONDS);
}

async function tryAgain() {
  clearTimeout(timer);
  showText(byId("lost-wait"), "Trying …");
  if (!(await isThere())) {
    waitAndTry();
    return;
  }
  waitSeconds = 0;
  byId("lost").hidden = true;
  announce("Connected again.");
  whenBack();
}

async function isThere() {
  try {
    return (await fetch(place("healthz"), { cache: "no-store" })).ok;
  } catch {
    return false; // Which is what was asked.
  }
}
