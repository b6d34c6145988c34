/** The panel's API: requests, the stream of states, and changes that are sent one at a time. */

const RETRY_MS = 2000;

const token = new URLSearchParams(location.search).get("token") ?? "";

/** What the program answers when it does not do something; the message is a sentence. */
export class Refused extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status; // 0: it did not answer
  }
}

/** The response to a request; `body` is sent as JSON if it is given. Throws `Refused`. */
export async function request(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method, headers, body: JSON.stringify(body), cache: "no-store",
    });
  } catch {
    throw new Refused("The program does not answer; look whether it still runs");
  }
  if (!response.ok) {
    const { error } = await response.json().catch(() => ({}));
    throw new Refused(error ?? `The program refused with status ${response.status}`, response.status);
  }
  return response;
}

/** The same, as what the JSON in the response says. */
export async function json(method, path, body) {
  return (await request(method, path, body)).json();
}

/** Calls `onState` with every state, and `onLost` with a sentence while there is no connection. */
export function follow(onState, onLost) {
  const stream = new EventSource(`/api/v1/events?token=${encodeURIComponent(token)}`);
  stream.addEventListener("state", (event) => onState(JSON.parse(event.data)));
  stream.addEventListener("error", async () => {
    onLost("Connection lost; trying again");
    // a browser tries again by itself, unless the answer was no stream
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow(onState, onLost), RETRY_MS);
    await request("GET", "state").catch((refused) => onLost(refused.message));
  });
}

/** Sends changes of settings: one request at a time, and of each setting only the newest value. */
export class Changes {
  #waiting = {};
  #sent = {};
  #onState;
  #onRefused;

  constructor(onState, onRefused) {
    this.#onState = onState;
    this.#onRefused = onRefused;
  }

  /** Whether a value is under way that a state from the program does not have yet. */
  pending(setting) {
    return setting in this.#waiting || setting in this.#sent;
  }

  async send(changes) {
    Object.assign(this.#waiting, changes);
    if (Object.keys(this.#sent).length) return; // by which the loop below goes on
    while (Object.keys(this.#waiting).length) {
      this.#sent = this.#waiting;
      this.#waiting = {};
      try {
        const state = await json("PATCH", "state", this.#sent);
        this.#sent = {};
        this.#onState(state);
      } catch (refused) {
        this.#sent = {};
        this.#onRefused(refused);
      }
    }
  }
}
