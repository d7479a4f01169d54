// What of an answer was looked up in its passages, and what came of it.

import { element, showText } from "./dom.js";
import { count, plural, seconds } from "./words.js";

const LIST = new Intl.ListFormat("en");

/** Show what was looked up, in an answer's card; nothing where the answer was not verified. */
export function showVerification(part, { verification, evidence }) {
  part("verification").hidden = !verification;
  if (!verification) return;
  const places = new Map(evidence.map(({ id }, place) => [id, place + 1]));
  part("verdict").textContent = verdictOf(verification);
  part("checked").replaceChildren(...verification.checked.map((item) => checkedItem(item, places)));
  showText(part("reread"), rereadWords(verification.second_reading, evidence));
}

/** Why an answer was taken back; empty where none was. */
export function whyWithheld(verification) {
  if (!verification?.withheld) return "";
  return `No passage holds ${quoted(verification.unverified)} of the answer “${verification.withheld}”, so none is given.`;
}

function verdictOf({ checked, unverified }) {
  if (!checked.length) return "The answer holds no name, number or date to look up.";
  if (!unverified.length) return "Verified: all of this stands in the passages.";
  const stand = unverified.length === 1 ? "stands" : "stand";
  return `Unverified: ${count(unverified.length)} of these ${stand} in no passage.`;
}

function checkedItem({ text, found_in: found }, places) {
  const numbers = found.map((id) => String(places.get(id)));
  const passages = numbers.length === 1 ? "passage" : "passages";
  const where = numbers.length ? `in ${passages} ${LIST.format(numbers)}` : "in no passage";
  return element("li", { class: numbers.length ? "good" : "bad" },
    text, " ", element("small", {}, where));
}

function rereadWords(second, evidence) {
  if (!second) return "";
  const { title } = evidence.find(({ id }) => id === second.passage_id) ?? {};
  return `Read again with “${title || second.passage_id}” as text, since no passage holds `
    + `${quoted(second.first_unverified)} of the first answer “${second.first_answer}”: `
    + `${plural(second.prompt_tokens, "token")} and ${seconds(second.seconds)} more.`;
}

const quoted = (texts) => LIST.format(texts.map((text) => `“${text}”`));
