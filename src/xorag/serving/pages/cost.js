// What an answer cost, and what two answers cost beside each other.

import { element, showText } from "./dom.js";
import { count, plural, seconds, share, MODE_NAMES } from "./words.js";

/** Show an answer's cost in its card. */
export function showCost(part, { cost, evidence }) {
  part("cost").hidden = false;
  const asText = cost.passage_tokens_as_text;
  const used = cost.passage_tokens_used;
  part("scale").hidden = evidence.length === 0;
  const most = Math.max(asText, used, 1);
  part("text-bar").style.setProperty("--share", asText / most);
  part("read-bar").style.setProperty("--share", used / most);
  part("text-tokens").textContent = plural(asText, "token");
  part("read-tokens").textContent = plural(used, "token");
  const saved = asText - used;
  showText(part("saved"), saved > 0
    ? `${plural(saved, "token")} saved: ${share(saved / asText)} of what the passages take as text`
    : "");
  part("facts").replaceChildren(
    fact("prompt", plural(cost.prompt_tokens, "token")),
    fact("answer", plural(cost.generated_tokens, "token")),
    fact("find", seconds(cost.seconds.encode + cost.seconds.search)),
    fact("write", seconds(cost.seconds.generate)),
    fact("in all", seconds(cost.seconds.total)),
  );
}

/**
 * How two answers to the same question differ in cost: a sentence that begins with the shorter.
 * @returns {{words: string, isCheaper: boolean}} isCheaper: the shorter took less time too
 */
export function differenceOf(one, other) {
  const isOneShorter = one.cost.prompt_tokens <= other.cost.prompt_tokens;
  const [short, long] = isOneShorter ? [one, other] : [other, one];
  const [shortName, longName] = [short, long].map(({ mode }) => `“${MODE_NAMES[mode]}”`);
  const tokens = long.cost.prompt_tokens - short.cost.prompt_tokens;
  const time = long.cost.seconds.total - short.cost.seconds.total;
  const read = tokens
    ? `read ${plural(tokens, "token", "fewer ")} than ${longName} (${count(short.cost.prompt_tokens)} `
      + `instead of ${count(long.cost.prompt_tokens)})`
    : `read as many tokens as ${longName}`;
  const took = `took ${seconds(Math.abs(time))} ${time >= 0 ? "less" : "more"}`;
  return { words: `${shortName} ${read} and ${took}.`, isCheaper: tokens > 0 && time > 0 };
}

function fact(name, value) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: "number" }, value));
}
