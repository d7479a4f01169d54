// The documents of the index: listed a page at a time, removed after a question.

import { connectionLost } from "./connection.js";
import { json, Lost } from "./api.js";
import { announce, byId, fromTemplate, showText } from "./dom.js";
import { startUploads } from "./uploads.js";
import { plural, sentence } from "./words.js";

const PAGE = 10;
let shown = 0;
let onChange = async () => {};

/**
 * Show the documents of a server that has a library of them.
 * @param {() => Promise<unknown>} changed is called after the index changed
 */
export async function startDocuments(changed) {
  onChange = changed;
  byId("documents-more").addEventListener("click", more);
  startUploads(refresh);
  byId("documents").hidden = false;
  await listDocuments();
}

async function refresh() {
  await Promise.all([listDocuments(), onChange()]);
}

/** List the first documents anew. */
export async function listDocuments() {
  const page = await fetchPage(0);
  if (page === null) return;
  byId("documents-list").replaceChildren();
  shown = 0;
  append(page);
}

async function more() {
  const first = shown;
  const page = await fetchPage(shown);
  if (page === null) return;
  append(page);
  byId("documents-list").children[first]?.querySelector("button").focus();
}

async function fetchPage(offset) {
  try {
    return await json(`api/documents?offset=${offset}&limit=${PAGE}`);
  } catch (error) {
    if (error instanceof Lost) connectionLost();
    else showText(byId("documents-count"), sentence(error.message));
    return null;
  }
}

function append({ documents, total }) {
  byId("documents-list").append(...documents.map(item));
  shown += documents.length;
  showText(byId("documents-count"), plural(total, "document"));
  byId("documents-more").hidden = shown >= total;
}

function item(document) {
  const { root, part } = fromTemplate("document");
  const name = document.title || document.id;
  part("name").textContent = name;
  part("name").title = document.id;
  part("size").textContent = document.passages ? plural(document.passages, "passage") : "";
  part("remove").setAttribute("aria-label", `Remove ${name}`);
  part("remove").addEventListener("click", () => confirmRemoval(document.id, name));
  return root;
}

function confirmRemoval(id, name) {
  const dialog = byId("remove-dialog");
  showText(byId("remove-name"), name);
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "remove") remove(id, name);
  }, { once: true });
  dialog.showModal();
}

async function remove(id, name) {
  try {
    await json(`api/documents/${encodeURIComponent(id)}`, { method: "DELETE" });
  } catch (error) {
    if (error instanceof Lost) connectionLost();
    showText(byId("documents-count"), `${name} was not removed: ${sentence(error.message)}`);
    announce(byId("documents-count").textContent);
    return;
  }
  await refresh();
  announce(`${name} was removed.`);
  byId("documents-title").focus();
}
