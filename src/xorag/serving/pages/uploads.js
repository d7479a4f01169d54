// Files on their way into the index: chosen or dropped, sent one after the other, then followed.

import { json, Lost, place, refusalOf } from "./api.js";
import { announce, byId, fromTemplate, showText } from "./dom.js";
import { askForKey, headersWithKey } from "./key.js";
import { count, plural, sentence, share } from "./words.js";

const POLL_MILLISECONDS = 500;
let queue = Promise.resolve();
let whenAdded = async () => {};

/** @param {() => Promise<unknown>} added is called after each file that was added */
export function startUploads(added) {
  whenAdded = added;
  byId("files").addEventListener("change", ({ target }) => {
    add([...target.files]);
    target.value = "";
  });
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("dropping").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) byId("dropping").hidden = true;
  });
  addEventListener("drop", (event) => {
    byId("dropping").hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    add(filesOf(event.dataTransfer));
  });
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

function filesOf(transfer) {
  const folders = new Set(
    [...transfer.items]
      .map((item) => item.webkitGetAsEntry?.())
      .filter((entry) => entry?.isDirectory)
      .map((entry) => entry.name),
  );
  if (folders.size) announce("Folders are left out; drop their files.");
  return [...transfer.files].filter((file) => !folders.has(file.name));
}

function add(files) {
  for (const file of files) {
    const shown = new ShownJob(file.name);
    byId("jobs").prepend(shown.root);
    queue = queue.then(() => addOne(file, shown));
  }
  if (files.length) announce(`${plural(files.length, "file")} to add.`);
}

async function addOne(file, shown) {
  try {
    const { job } = await send(file, (part) => shown.sending(part));
    await follow(job, shown);
    await whenAdded();
  } catch (error) {
    shown.failed(error instanceof Lost ? "The connection was lost." : sentence(error.message));
  }
}

/** Send a file; `fetch` does not tell how much of it has gone, this does. */
function send(file, onProgress) {
  const body = new FormData();
  body.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", place("api/documents"));
    for (const [name, value] of Object.entries(headersWithKey())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener("error", () => reject(new Lost()));
    request.addEventListener("load", async () => {
      const { status, responseText } = request;
      if (status < 300) resolve(JSON.parse(responseText));
      else if (status === 401 && (await askForKey())) resolve(send(file, onProgress));
      else reject(refusalOf(status, responseText, request.getResponseHeader("Retry-After")));
    });
    request.send(body);
  });
}

async function follow(id, shown) {
  for (;;) {
    const job = await json(`api/documents/jobs/${encodeURIComponent(id)}`);
    shown.show(job);
    if (job.done) return;
    await new Promise((resolve) => { setTimeout(resolve, POLL_MILLISECONDS); });
  }
}

function stateWords({ state, read, encoded, total }) {
  if (state === "waiting") return "Waiting for its turn …";
  if (state === "reading") return `Reading, ${plural(read, "document")} so far`;
  return `Encoding ${count(encoded)} of ${plural(total, "passage")}`;
}

function outcomeWords({ state, added, updated, unchanged, error_count: faults }) {
  const done = [[added, "added"], [updated, "updated"], [unchanged, "unchanged"], [faults, "left out"]]
    .filter(([number]) => number)
    .map(([number, what]) => `${count(number)} ${what}`);
  if (state === "failed") return "Not all was added.";
  return done.length ? `Documents: ${done.join(", ")}.` : "There was nothing to add.";
}

/** A file in the list of those being added. */
class ShownJob {
  constructor(name) {
    Object.assign(this, fromTemplate("job"));
    this.name = name;
    this.part("name").textContent = name;
    this.part("progress").setAttribute("aria-label", `Adding ${name}`);
    this.part("state").textContent = "Waiting …";
    this.part("close").addEventListener("click", () => {
      this.root.remove();
      byId("files").focus();
    });
  }

  sending(part) {
    this.part("progress").value = part;
    this.part("state").textContent = `Sending, ${share(part)}`;
  }

  show(job) {
    const progress = this.part("progress");
    if (job.total) progress.value = job.encoded / job.total;
    else progress.removeAttribute("value");
    this.part("state").textContent = stateWords(job);
    if (job.done) this.#finish(outcomeWords(job), job.errors);
  }

  failed(message) {
    this.#finish("Not added.", [message]);
  }

  #finish(words, faults) {
    this.part("progress").hidden = true;
    this.part("close").hidden = false;
    this.part("close").setAttribute("aria-label", `Close the note on ${this.name}`);
    this.root.classList.toggle("failed", faults.length > 0);
    this.part("state").textContent = words;
    this.part("faults").hidden = faults.length === 0;
    this.part("faults").replaceChildren(...faults.map((fault) => {
      const line = document.createElement("li");
      line.textContent = fault;
      return line;
    }));
    announce(`${this.name}: ${words} ${faults.join(" ")}`);
  }
}
