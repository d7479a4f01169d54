// The key of a server that wants one: asked for once, kept until the tab is closed.

import { byId, showText } from "./dom.js";

const NAME = "xorag-key";
let asked = null;

// A button of its own type: Enter presses the first one that submits, which is to use the key.
byId("key-cancel").addEventListener("click", () => byId("key-dialog").close(""));

/** Headers of a request, with the key where there is one. */
export function headersWithKey(headers = {}) {
  const key = sessionStorage.getItem(NAME);
  return key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
}

/**
 * Ask for a key; several requests that were refused at the same time ask once.
 * @returns {Promise<boolean>} whether one was given
 */
export function askForKey() {
  asked ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    const field = byId("key");
    showText(byId("key-refused"), sessionStorage.getItem(NAME) ? "The key was not accepted." : "");
    field.value = "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      asked = null;
      if (dialog.returnValue === "given") sessionStorage.setItem(NAME, field.value.trim());
      resolve(dialog.returnValue === "given");
    }, { once: true });
    dialog.showModal();
  });
  return asked;
}
