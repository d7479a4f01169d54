// The passages of an answer: score, form, cost as text, judgements.

import { element, fromTemplate, showText } from "./dom.js";
import { count, formOf, plural, tokensOf } from "./words.js";

/** Passages that are listed at once; a cascade judges many more. */
const LISTED = 10;
/** The judgements of a path, and the range of each. */
const JUDGEMENTS = Object.freeze([
  ["relevance", 0, 1],
  ["support", 0, 1],
  ["utility", -1, 1],
]);

/**
 * List passages anew.
 * @param {HTMLElement} list
 * @param {object[]} passages as evidence of an answer, or as hits of a search
 */
export function listPassages(list, passages) {
  list.replaceChildren();
  listMore(list, passages);
}

function listMore(list, passages) {
  const items = passages.slice(0, LISTED).map(passageItem);
  list.append(...items);
  items.forEach(offerAll);
  const rest = passages.slice(LISTED);
  if (!rest.length) return;
  const words = `Show more: ${plural(rest.length, "passage")} left`;
  const more = element("button", { type: "button", class: "link" }, words);
  const item = element("li", {}, more);
  more.addEventListener("click", () => {
    const place = list.children.length - 1;
    item.remove();
    listMore(list, rest);
    list.children[place].tabIndex = -1;
    list.children[place].focus();
  });
  list.append(item);
}

function passageItem(passage) {
  const { root, part } = fromTemplate("passage");
  part("title").textContent = passage.title || passage.id;
  part("score").textContent = `score ${passage.score.toFixed(2)}`;
  part("text").textContent = passage.text;
  if (passage.form) {
    const { style, words } = formOf(passage);
    part("form").textContent = words;
    part("form").classList.add(style);
    part("tokens").textContent = tokensOf(passage);
  } else {
    part("form").parentElement.hidden = true;
  }
  if (passage.shown) showShown(part("shown"), passage.shown);
  if (passage.choice?.options.length) showChoice(part, passage);
  part("chosen").hidden = !passage.chosen;
  if (passage.critique) showCritique(part("critique"), passage.critique);
  return root;
}

/** What stands in the prompt beside the soft tokens. */
function showShown(list, shown) {
  list.hidden = false;
  list.append(...shown.map((text) => element("li", {}, text)));
}

/** The forms that were weighed for a passage: what each takes, and what was expected of it. */
function showChoice(part, { choice }) {
  part("choice").hidden = false;
  const row = (cell, ...cells) => element("tr", {}, ...cells.map((text) => element(cell, {}, text)));
  part("weighed").replaceChildren(
    row("th", "form", "tokens", "expected gain"),
    ...choice.options.map(({ label, tokens, gain }) => row("td", label, count(tokens), gain.toFixed(3))),
  );
}

function showCritique(list, critique) {
  list.hidden = false;
  for (const [name, min, max] of JUDGEMENTS) {
    const value = critique[name];
    const words = value.toFixed(2);
    const meter = element("meter", { min, max, value, "aria-label": name }, words);
    const number = element("span", { class: "number", "aria-hidden": "true" }, words);
    list.append(element("div", {}, element("dt", {}, name), element("dd", {}, meter, number)));
  }
  const score = element("span", { class: "number" }, critique.score.toFixed(2));
  list.append(element("div", {}, element("dt", {}, "in all"), element("dd", {}, score)));
}

/** A long text is cut, and shown whole on demand. */
function offerAll(item) {
  const text = item.querySelector(".text");
  const toggle = item.querySelector("[data-part=toggle]");
  toggle.hidden = text.scrollHeight <= text.clientHeight + 1;
  toggle.addEventListener("click", () => {
    const isAll = text.classList.toggle("all");
    toggle.setAttribute("aria-expanded", String(isAll));
    toggle.textContent = isAll ? "Show less" : "Show all";
  });
}

/** The heading over a list of passages. */
export function showTitle(heading, passages) {
  showText(heading, passages.length ? plural(passages.length, "passage") : "No passage was found");
}
