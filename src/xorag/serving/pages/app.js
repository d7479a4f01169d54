// The page: the form, the answers beside each other, the documents, and what the server is.

import { keepAddress, readAddress } from "./address.js";
import { AnswerCard } from "./answer.js";
import { about, Lost } from "./api.js";
import { connectionLost, watchConnection } from "./connection.js";
import { differenceOf } from "./cost.js";
import { listDocuments, startDocuments } from "./documents.js";
import { announce, byId, showText } from "./dom.js";
import { fillForm, fitToMode, keepWithin, offerModes, questionOf, readForm, showRunning, whyUnable } from "./form.js";
import { plural, sentence } from "./words.js";

const form = byId("ask");
let running = new AbortController();
let server = null;

/** Learn what the server has, and fit the page to it. */
async function learn() {
  try {
    server = await about();
  } catch (error) {
    if (error instanceof Lost) connectionLost();
    if (server === null) showText(byId("about"), `Nothing is known of the server: ${sentence(error.message)}`);
    return false;
  }
  showText(byId("about"), aboutWords(server));
  byId("empty").hidden = !isEmpty();
  showText(byId("empty-way"), emptyWay(server));
  offerModes(server.modes);
  keepWithin(server.limits);
  return true;
}

function isEmpty() {
  return server !== null && !server.index?.passages;
}

function aboutWords({ model, encoder, index, library }) {
  const passages = index
    ? `${plural(index.passages, "passage")} of ${plural(index.documents, "document")}`
    : "no index";
  const fixed = index && !library.is_open && "documents cannot be changed";
  return [shortName(model), encoder && shortName(encoder), passages, fixed].filter(Boolean).join(" · ");
}

function emptyWay({ library }) {
  return library.is_open
    ? "Add documents, or answer from memory."
    : `None can be added, since ${library.reason}. Answer from memory.`;
}

function shortName(name) {
  return name.split("/").filter(Boolean).at(-1);
}

/** Ask what the form asks, in one mode or in two. */
async function askAll() {
  const options = readForm();
  keepAddress(options);
  document.title = `${options.q} – xorag`;
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const cards = [options.mode, options.beside].filter(Boolean).map((mode) => new AnswerCard(mode));
  byId("answers").replaceChildren(...cards.map((card) => card.root));
  showText(byId("difference"), "");
  showRunning(true);
  const outcomes = await Promise.all(cards.map((card) => runCard(card, options, signal)));
  if (signal !== running.signal) return;
  showRunning(false);
  const answers = outcomes.map(({ answer }) => answer).filter(Boolean);
  if (answers.length === 2) showDifference(differenceOf(...answers));
}

function showDifference({ words, isCheaper }) {
  byId("difference").classList.toggle("good", isCheaper);
  showText(byId("difference"), words);
  announce(words);
}

async function runCard(card, options, signal) {
  card.part("again").addEventListener("click", () => form.requestSubmit());
  const outcome = await card.run(questionOf(options, card.mode), signal);
  if (outcome.isLost) connectionLost();
  return outcome;
}

/** Show what the address asks, as after going back. */
function showAddressed() {
  running.abort();
  byId("answers").replaceChildren();
  showText(byId("difference"), "");
  document.title = "xorag";
  fillForm(readAddress());
  askAddressed();
}

/** Ask what the address asks, as after following a shared link. */
function askAddressed() {
  const options = readAddress();
  offerModes(server.modes);
  const unable = whyUnable(options, server.modes);
  showText(byId("unable"), unable);
  if (options.q && !unable) form.requestSubmit();
}

/** Begin once the server is known; until then the question can be typed already. */
async function start() {
  const isFirst = server === null;
  if (!(await learn())) return;
  if (!isFirst) {
    if (server.library.is_open) listDocuments();
    return;
  }
  askAddressed();
  addEventListener("popstate", showAddressed);
  if (server.library.is_open) startDocuments(learn);
}

function stop() {
  running.abort();
  byId("question").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  askAll();
});
form.addEventListener("change", () => {
  fitToMode();
  showText(byId("unable"), "");
});
byId("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !byId("stop").hidden) stop();
});
byId("stop").addEventListener("click", stop);

watchConnection(start);
fillForm(readAddress());
start();
