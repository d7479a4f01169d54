// Numbers, modes and forms in words.

const COUNT = new Intl.NumberFormat("en");
const SHARE = new Intl.NumberFormat("en", { style: "percent" });

/** What the page calls each mode. */
export const MODE_NAMES = Object.freeze({
  xrag: "Soft tokens",
  text: "Full text",
  openrag: "Judged passages",
  cascade: "Cascade",
  closed: "Memory",
  search: "Search only",
});

export const count = (value) => COUNT.format(value);
export const share = (value) => SHARE.format(value);

/** A count with its noun: `plural(2, "token")` is "2 tokens". */
export const plural = (value, noun, before = "") =>
  `${count(value)} ${before}${noun}${value === 1 ? "" : "s"}`;

/** What a server says as a sentence of the page. */
export const sentence = (text) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Seconds with as many digits as can be told apart. */
export function seconds(value) {
  if (value >= 10) return `${Math.round(value)} s`;
  return `${value.toFixed(value >= 1 ? 1 : 2)} s`;
}

/** The form in which a passage was read: a badge's style, and its words. */
export function formOf({ form, tokens }) {
  const soft = tokens === 1 ? "soft token" : "soft tokens";
  const words = {
    dropped: "dropped",
    token: soft,
    strings: "soft tokens and exact strings",
    sentences: "soft tokens and sentences",
    text: "full text",
  };
  return { style: `as-${form}`, words: words[form] ?? form };
}

/** What a passage takes in the prompt, beside what its text would take, and why. */
export function tokensOf({ tokens, tokens_as_text: asText, reason }) {
  const taken = tokens === asText
    ? plural(tokens, "token")
    : `${plural(tokens, "token")} instead of ${count(asText)}`;
  return reason ? `${taken}: ${reason}` : taken;
}
