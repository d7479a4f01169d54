// The question and its options in the page's address, so that it can be shared.

/** The options of a question, as they are unless the address or the form says otherwise. */
export const DEFAULTS = Object.freeze({
  q: "", mode: "", beside: "", k: 1, judged: 50, keep: 3,
  form: "", tokens: 1, strings: 32, sentences: 1, budget: 64,
  verify: "", withhold: "", longest: 32, gate: "",
});

/** The options that an address holds; what it lacks or holds wrongly is as usual. */
export function readAddress(search = location.search) {
  const given = new URLSearchParams(search);
  const options = { ...DEFAULTS };
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = given.get(name);
    if (value === null) continue;
    options[name] = typeof usual === "number" ? wholeNumber(value, usual) : value;
  }
  return options;
}

/** The address of the page with a question's options. */
export function addressOf(options) {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (name === "q" || name === "mode" || value !== DEFAULTS[name]) kept.set(name, value);
  }
  return `?${kept}`;
}

/** Keep a question's options in the address; one that is there already makes no new entry. */
export function keepAddress(options) {
  const address = addressOf(options);
  if (address !== location.search) history.pushState(null, "", address);
}

function wholeNumber(text, usual) {
  return /^\d{1,6}$/.test(text) && Number(text) > 0 ? Number(text) : usual;
}
