// The form: what it asks, what the server can do, and what of it belongs to which mode.

import { byId, showText } from "./dom.js";
import { DEFAULTS } from "./address.js";
import { MODE_NAMES } from "./words.js";

const PREFERRED = ["xrag", "text", "openrag", "closed", "search"];
const form = byId("ask");

/** The options as they stand in the form. */
export function readForm() {
  const given = new FormData(form);
  const options = { ...DEFAULTS };
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = given.get(name) ?? "";
    options[name] = typeof usual === "number" ? Number(value) || usual : value;
  }
  options.q = options.q.trim();
  if (options.mode === "search" || options.beside === options.mode) options.beside = "";
  return options;
}

/** Put options into the form. */
export function fillForm(options) {
  for (const [name, value] of Object.entries(options)) {
    const field = form.elements[name === "q" ? "question" : name];
    if (field) field.value = value;
  }
  fitToMode();
}

/** Offer only the modes of which the server says that it has them. */
export function offerModes(modes) {
  const able = new Set([...modes, ...(modes.some((mode) => mode !== "closed") ? ["search"] : [])]);
  for (const radio of form.elements.mode) {
    radio.disabled = !able.has(radio.value);
    radio.closest("label").hidden = radio.disabled;
  }
  for (const option of form.elements.beside.options) {
    option.disabled = option.hidden = option.value !== "" && !able.has(option.value);
  }
  if (!readForm().mode) form.elements.mode.value = PREFERRED.find((mode) => able.has(mode)) ?? "";
  fitToMode();
}

/** Let nothing be asked that the server would refuse for its size. */
export function keepWithin(limits) {
  form.elements.question.maxLength = limits.max_question_characters;
  form.elements.k.max = limits.max_passages;
  form.elements.longest.max = limits.max_new_tokens;
}

/** Why the server cannot answer so; empty where it can. */
export function whyUnable(options, modes) {
  const missing = [options.mode, options.beside].find(
    (mode) => mode && mode !== "search" && !modes.includes(mode),
  );
  if (!missing) return "";
  const name = MODE_NAMES[missing] ? `“${MODE_NAMES[missing]}”` : `“${missing}”`;
  return `This server cannot answer in the mode ${name} that the address names. Choose another one.`;
}

/** Show what the chosen modes use, and say whether something runs. */
export function fitToMode() {
  const { mode, beside } = readForm();
  const uses = (wanted) => wanted === mode || wanted === beside;
  form.elements.beside.disabled = mode === "search";
  form.elements.k.disabled = mode === "closed" && !beside;
  for (const each of form.querySelectorAll(".judged")) each.hidden = !uses("openrag");
}

/** While an answer is written, the form offers to stop it. */
export function showRunning(isRunning) {
  byId("stop").hidden = !isRunning;
  if (isRunning) showText(byId("unable"), "");
}

/** The body of `/api/ask` for one mode: only what that mode understands. */
export function questionOf(options, mode) {
  const question = { question: options.q, mode, max_new_tokens: options.longest };
  if (mode === "closed") return question;
  question.k = options.k;
  const readsTokens = mode === "xrag" || (mode === "openrag" && options.form === "token");
  if (readsTokens) question.tokens_per_passage = options.tokens;
  if (mode === "openrag" && options.form) question.form = options.form;
  if (mode === "openrag" && options.gate) question.gate = options.gate;
  return question;
}
