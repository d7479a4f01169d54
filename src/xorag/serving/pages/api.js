// What the page asks of the server. Every path is relative to the page, which may lie under a prefix.

import { askForKey, headersWithKey } from "./key.js";
import { events } from "./events.js";

/** The server refused, or failed. */
export class Refused extends Error {
  constructor(message, { status = 0, id = "", waitSeconds = 0 } = {}) {
    super(message);
    Object.assign(this, { status, id, waitSeconds });
  }
}

/** The server cannot be reached, or a stream broke before its end. */
export class Lost extends Error {}

/** Where something lies on this server. */
export const place = (path) => new URL(path, document.baseURI);

/** What the server has: modes, model, encoder, index. */
export const about = () => json("api/about");

/** The passages that fit a question best. */
export const search = (query, k, signal) => json("api/search", { body: { query, k }, signal });

/**
 * Ask, and get what happens as it happens: `passages`, `text`, `answer`, `error`.
 * @yields {{name: string, data: object}}
 */
export async function* ask(question, signal) {
  const response = await request("api/ask", { body: { ...question, stream: true }, signal });
  let isWhole = false;
  try {
    for await (const event of events(response.body)) {
      isWhole ||= event.name === "answer" || event.name === "error";
      yield event;
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Lost("the stream broke");
  }
  if (!isWhole) throw new Lost("the stream ended early");
}

/** Ask for a JSON document. */
export async function json(path, options) {
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

async function request(path, { method, body, signal } = {}) {
  const options = {
    method: method ?? (body ? "POST" : "GET"),
    headers: headersWithKey(body ? { "Content-Type": "application/json" } : {}),
    body: body && JSON.stringify(body),
    signal,
  };
  let response;
  try {
    response = await fetch(place(path), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Lost("the server cannot be reached");
  }
  if (response.ok) return response;
  if (response.status !== 401) throw await refusal(response);
  if (await askForKey()) return request(path, { method, body, signal });
  throw new Refused("this server wants a key; load the page again to give one", { status: 401 });
}

async function refusal(response) {
  const text = await response.text().catch(() => "");
  return refusalOf(response.status, text, response.headers.get("Retry-After"));
}

/** What the server's error says, or what its status does where it is not one of ours. */
export function refusalOf(status, text, retryAfter) {
  let told;
  try {
    told = JSON.parse(text).error;
  } catch {
    told = undefined; // Something between us and the server wrote this answer.
  }
  return new Refused(told?.message ?? `The server answered with status ${status}.`, {
    status,
    id: told?.id ?? "",
    waitSeconds: Number(retryAfter) || 0,
  });
}
