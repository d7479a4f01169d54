// The form: what it asks, what the server can do, and what of it belongs to which mode.

import { byId, showText } from "./dom.js";
import { DEFAULTS } from "./address.js";
import { MODE_NAMES } from "./words.js";

/** Modes that read passages in the form that is chosen. */
const FORM_MODES = ["xrag", "openrag", "cascade"];
/** Forms in which soft tokens stand for a passage. */
const TOKEN_FORMS = ["token", "strings", "sentences"];
const PREFERRED = ["xrag", "text", "openrag", "cascade", "closed", "search"];
/** Modes that make no use of the number of passages beside the question. */
const OWN_COUNT = ["closed", "cascade"];
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
    if (!field) continue;
    if (field.type === "checkbox") field.checked = value === field.value;
    else field.value = value;
  }
  // Opened where it holds something unusual, which else nobody would see.
  const more = form.querySelector(".more");
  more.open ||= [...more.querySelectorAll("[name]")].some(({ name }) => options[name] !== DEFAULTS[name]);
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
  for (const name of ["k", "judged", "keep"]) form.elements[name].max = limits.max_passages;
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
  const mode = form.elements.mode.value;
  const beside = mode === "search" ? "" : form.elements.beside.value;
  const modes = [mode, beside].filter(Boolean);
  form.elements.beside.disabled = mode === "search";
  form.elements.k.disabled = modes.every((each) => OWN_COUNT.includes(each));
  const used = usedBy(modes);
  for (const each of form.querySelectorAll("[data-for]")) {
    each.hidden = !used.has(each.dataset.for);
    // What is not used is not sent, not kept in the address, and stops no question by being wrong.
    for (const field of each.querySelectorAll("[name]")) field.disabled = each.hidden;
  }
}

/** What of the options these modes use. */
function usedBy(modes) {
  const chosen = form.elements.form.value;
  const used = new Set();
  if (modes.some((mode) => FORM_MODES.includes(mode))) used.add("forms").add(chosen);
  if (modes.some((mode) => hasTokens(mode, chosen))) used.add("tokens");
  if (modes.includes("openrag")) used.add("judging");
  if (modes.includes("cascade")) used.add("cascade");
  if (modes.some((mode) => mode !== "closed" && mode !== "search")) used.add("passages");
  if (used.has("passages") && form.elements.verify.checked) used.add("verify");
  return used;
}

const hasTokens = (mode, chosen) =>
  FORM_MODES.includes(mode) && (chosen ? TOKEN_FORMS.includes(chosen) : mode === "xrag");

/** While an answer is written, the form offers to stop it. */
export function showRunning(isRunning) {
  byId("stop").hidden = !isRunning;
  if (isRunning) showText(byId("unable"), "");
}

/** The body of `/api/ask` for one mode: only what that mode understands. */
export function questionOf(options, mode) {
  const question = { question: options.q, mode, max_new_tokens: options.longest };
  if (mode === "closed") return question;
  question.k = mode === "cascade" ? options.judged : options.k;
  if (mode === "cascade") question.keep = options.keep;
  if (FORM_MODES.includes(mode)) Object.assign(question, readingOf(options, mode));
  if (mode === "openrag" && options.gate) question.gate = options.gate;
  if (options.verify) question.verify = true;
  if (options.verify && options.withhold) question.abstain_unverified = true;
  return question;
}

/** How passages are read, and how much of each is shown. */
function readingOf({ form: chosen, tokens, strings, sentences, budget }, mode) {
  return {
    ...(chosen && { form: chosen }),
    ...(hasTokens(mode, chosen) && { tokens_per_passage: tokens }),
    ...(chosen === "strings" && { strings_tokens: strings }),
    ...(chosen === "sentences" && { sentences }),
    ...(chosen === "auto" && { budget }),
  };
}
