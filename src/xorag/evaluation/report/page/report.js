"use strict";
// Filters the examples. Without it all of them are listed.
(() => {
  const STEP = 25;
  const form = document.getElementById("filter");
  if (!form) return;
  const status = document.getElementById("shown");
  const more = document.getElementById("more");
  const nothing = document.getElementById("nothing");
  const examples = [...document.querySelectorAll(".example")].map((node) => ({
    node,
    set: node.dataset.set,
    text: node.textContent.toLowerCase(),
    outcomes: new Map(
      [...node.querySelectorAll("[data-outcome]")].map((mark) => [mark.dataset.mode, mark.dataset.outcome]),
    ),
  }));
  let limit = STEP;

  const wanted = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const set = form.elements.set ? form.elements.set.value : "";
    const modes = [...form.querySelectorAll("select[data-mode]")].filter((select) => select.value);
    return (example) =>
      (!set || example.set === set) &&
      words.every((word) => example.text.includes(word)) &&
      modes.every((select) => example.outcomes.get(select.dataset.mode) === select.value);
  };

  const show = () => {
    const isWanted = wanted();
    let matching = 0;
    for (const example of examples) {
      const matches = isWanted(example);
      if (matches) matching += 1;
      example.node.hidden = !matches || matching > limit;
    }
    const shown = Math.min(matching, limit);
    status.textContent =
      `${matching} of ${examples.length} examples` + (shown < matching ? `, the first ${shown} shown` : "");
    more.hidden = shown === matching;
    nothing.hidden = matching > 0;
  };

  const restart = () => {
    limit = STEP;
    show();
  };
  form.addEventListener("input", restart);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(restart));
  more.addEventListener("click", () => {
    const first = examples.filter((example) => !example.node.hidden).length;
    limit += STEP;
    show();
    const added = examples.filter((example) => !example.node.hidden)[first];
    if (added) added.node.querySelector("summary").focus();
  });
  form.hidden = false;
  show();
})();
