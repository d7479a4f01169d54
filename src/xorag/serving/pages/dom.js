// Elements from templates and from code. Text is set as text, never parsed as markup.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/**
 * A copy of a template, with its named parts.
 * @param {string} name of the template, without `-template`
 * @returns {{root: HTMLElement, part: (name: string) => HTMLElement}}
 */
export function fromTemplate(name) {
  const root = byId(`${name}-template`).content.firstElementChild.cloneNode(true);
  return { root, part: (wanted) => root.querySelector(`[data-part="${wanted}"]`) };
}

/** A new element with attributes, and with children that are elements or text. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Show some text in a node, or hide the node where there is none. */
export function showText(node, text) {
  node.textContent = text;
  node.hidden = !text;
}

/** Tell those who use a screen reader; a text stays long enough for others to follow it. */
export function announce(text) {
  const told = element("p", {}, text);
  byId("announcer").append(told);
  setTimeout(() => told.remove(), 10_000);
}
