// One answer on its way: waiting, reading, writing, and then done, stopped, lost or refused.

import { ask, Lost, search } from "./api.js";
import { showCost } from "./cost.js";
import { announce, fromTemplate, showText } from "./dom.js";
import { listPassages, showTitle } from "./passages.js";
import { showVerification, whyWithheld } from "./verification.js";
import { MODE_NAMES, plural, seconds, sentence } from "./words.js";

const SLOW_AFTER_SECONDS = 8;

/** The card of one answer; `run` fills it. */
export class AnswerCard {
  /** @param {string} mode one of the modes, or `search` */
  constructor(mode) {
    const { root, part } = fromTemplate("answer");
    this.mode = mode;
    this.root = root;
    this.part = part;
    part("heading").textContent = MODE_NAMES[mode];
    part("evidence").setAttribute("aria-label", `Passages of ${MODE_NAMES[mode]}`);
  }

  /**
   * Ask, and show what comes. Never throws: what goes wrong is shown in the card.
   * @param {object} question body of `/api/ask`
   * @param {AbortSignal} signal
   * @returns {Promise<{answer?: object, isLost: boolean}>}
   */
  async run(question, signal) {
    const stopClock = this.#startClock();
    this.#state("waiting", this.mode === "search" ? "Looking for passages …" : "Waiting for the model …");
    try {
      const answer = await (this.mode === "search"
        ? this.#search(question, signal)
        : this.#follow(question, signal));
      return { answer, isLost: false };
    } catch (error) {
      this.#fail(error);
      return { isLost: error instanceof Lost };
    } finally {
      stopClock();
      this.root.setAttribute("aria-busy", "false");
    }
  }

  async #search({ question, k }, signal) {
    const { hits } = await search(question, k, signal);
    this.#passages(hits);
    this.#state("done", "");
    announce(this.part("evidence-title").textContent);
  }

  async #follow(question, signal) {
    let answer;
    for await (const { name, data } of ask(question, signal)) {
      this.#heard();
      if (name === "passages") {
        this.#passages(data.evidence ?? data);
        this.#state("reading", "Reading …");
      } else if (name === "text") {
        this.part("said").append(data.piece);
        this.#state("writing", "Writing …");
      } else if (name === "error") {
        throw Object.assign(new Error(data.message), { id: data.id });
      } else if (name === "answer") {
        answer = data;
      }
    }
    this.#finish(answer);
    return answer;
  }

  #finish(answer) {
    this.part("said").textContent = answer.answer;
    this.#passages(answer.evidence);
    this.part("evidence").hidden = this.mode === "closed" || answer.gate?.retrieved === false;
    showText(this.part("gate"), gateWords(answer));
    showVerification(this.part, answer);
    showCost(this.part, answer); // Which tells the seconds better than the clock did.
    this.part("clock").hidden = true;
    const nothing = nothingWords(answer);
    this.#state("done", answer.answer ? "" : nothing);
    announce(`${MODE_NAMES[this.mode]}: ${answer.answer || nothing}`);
  }

  #passages(passages) {
    this.part("evidence").hidden = false;
    showTitle(this.part("evidence-title"), passages);
    listPassages(this.part("passages"), passages);
  }

  #fail(error) {
    const { state, message, id } = troubleOf(error);
    if (state === "stopped") {
      this.#state(state, "Stopped.");
      announce("Stopped.");
      return;
    }
    this.#state(state, this.part("said").textContent ? "This answer is not whole." : "");
    showText(this.part("message"), message);
    showText(this.part("id"), id ? `Error ${id}` : "");
    this.part("trouble").hidden = false;
  }

  #state(state, words) {
    this.root.dataset.state = state;
    showText(this.part("state"), words);
  }

  #startClock() {
    const start = performance.now();
    this.lastHeard = start;
    const tick = () => {
      const now = performance.now();
      this.part("clock").textContent = seconds((now - start) / 1000);
      const isSlow = now - this.lastHeard > 1000 * SLOW_AFTER_SECONDS;
      if (isSlow && !this.root.classList.contains("slow")) this.#slow();
    };
    const timer = setInterval(tick, 250);
    return () => {
      clearInterval(timer);
      tick();
      this.#heard();
    };
  }

  #slow() {
    this.root.classList.add("slow");
    const words = "Nothing has come for a while: the model is slow, or others are before you. "
      + "You can go on waiting, or stop.";
    showText(this.part("state"), words);
    announce(words);
  }

  #heard() {
    this.lastHeard = performance.now();
    this.root.classList.remove("slow");
  }
}

function troubleOf(error) {
  if (error.name === "AbortError") return { state: "stopped" };
  if (error instanceof Lost) {
    return { state: "lost", message: "The connection was lost before the answer was whole." };
  }
  const wait = error.waitSeconds ? ` Try again in ${plural(error.waitSeconds, "second")}.` : "";
  return { state: "failed", message: sentence(error.message) + wait, id: error.id };
}

/** Why an answer is empty. */
function nothingWords({ abstained, verification }) {
  if (!abstained) return "The model wrote nothing.";
  return whyWithheld(verification) || "No passage supports an answer well enough.";
}

function gateWords({ gate }) {
  if (!gate) return "";
  const did = gate.retrieved ? "The reader wanted passages" : "The reader answered without passages";
  if (gate.threshold === null || gate.confidence === null) return `${did}.`;
  // By token it is compared how likely it asks for passages; else how sure it is without them.
  const what = gate.kind === "token" ? "probability" : "confidence without them";
  return `${did}: ${what} ${gate.confidence.toFixed(2)}, threshold ${gate.threshold.toFixed(2)}.`;
}
