/**
 * The room of a show: one websocket, opened again with full jitter whenever it is lost. The
 * `welcome` that opens every connection replaces whatever the page knew before; who says what it
 * knows already is then told exactly the numbered events it missed.
 */
import { freshKey, Problem, renewSession } from "./api.js";
import { decode, encode, MessagePackError } from "./msgpack.js";

const PROTOCOL = "kkot.v1+msgpack";
const WELCOME_WITHIN_MS = 10_000;
const HEARTS_EVERY_MS = 500;
const HEARTS_MAX = 50;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
const HIDDEN_LONG_MS = 20_000;
const SYNC_WITHIN_MS = 6_000;
const HOLD_WITHIN_MS = 5_000;

/** Close codes after which nobody comes back, as it would end the same way; and how that is told. */
const STAYS_AWAY = { 4000: "dismissed", 4001: "dismissed", 4004: "gone", 4029: "dismissed" };
const UNSAID = { reason: "unavailable", until_ms: null };

/** An id this browser keeps, by which it is counted once; a new one where it may keep nothing. */
function visitor() {
  try {
    const id = localStorage.getItem("kkot.visitor") ?? freshKey();
    localStorage.setItem("kkot.visitor", id);
    return id;
  } catch {
    return freshKey();
  }
}

/**
 * @typedef {Object} RoomListener
 * @property {(event: any) => void} event every event, `welcome` included, in order
 * @property {(state: "connecting"|"open"|"waiting"|"gone"|"dismissed") => void} state
 * @property {() => boolean} signedIn whether this page believes somebody is signed in
 */

export class Room {
  /** @param {string} show @param {RoomListener} listener */
  constructor(show, listener) {
    this.url = new URL(`/shows/${encodeURIComponent(show)}/events`, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.listener = listener;
    this.socket = null;
    this.failures = 0;
    this.hearts = 0;
    this.retry = 0;
    this.deadline = 0;
    this.stopped = true;
    this.renewed = false;
    /** @type {{epoch: string, offset: number}|null} the last place of the show's sequence we know */
    this.since = null;
    /** @type {Map<string, {message: any, resolve: (refusal: {reason: string, until_ms: number|null}|null) => void}>} */
    this.unanswered = new Map();
    /** @type {Map<string, {resolve: (held: any) => void, reject: (problem: Problem) => void}>} */
    this.wishes = new Map();
    addEventListener("online", () => this.#now());
    let asleep = false;
    addEventListener("pagehide", () => {
      asleep = !this.stopped;
      this.close();
    });
    addEventListener("pageshow", (event) => { if (event.persisted && asleep) this.open(); });
    let hiddenAt = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) hiddenAt = Date.now();
      else if (Date.now() - hiddenAt > HIDDEN_LONG_MS) this.sync();
    });
  }

  /** Connect, and stay connected until `close`. */
  open() {
    this.stopped = false;
    this.#connect();
  }

  /** Leave the room for good. */
  close() {
    this.stopped = true;
    clearTimeout(this.retry);
    this.#drop();
  }

  /** Connect anew, for instance as somebody who has just signed in. */
  restart() {
    this.stopped = false;
    this.failures = 0;
    this.renewed = false;
    this.#connect();
  }

  /**
   * Say something. Waits for a connection when there is none.
   * @param {string} text
   * @param {{product: string|null}|null} [question] the seller is to answer it, about a product or the show
   * @returns {Promise<{reason: string, until_ms: number|null}|null>} null when it is shown, else why it is not
   */
  say(text, question = null) {
    if (this.stopped) return Promise.resolve(UNSAID);
    return new Promise((resolve) => {
      const id = freshKey().slice(0, 16);
      const message = { type: "say", id, text, ...(question && { question: true, product: question.product }) };
      this.unanswered.set(id, { message, resolve });
      if (this.welcomed) this.#send(message);
    });
  }

  /**
   * Hold units from within the room.
   * @param {{sku: string, quantity?: number, price_minor?: number}[]} lines
   * @param {string} key by which a repeated wish is the same, over HTTP too
   * @returns {Promise<{holds: any[], now_ms: number}|null>} null when the room cannot tell: ask over HTTP
   */
  hold(lines, key) {
    if (!this.welcomed) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#granted(key, null), HOLD_WITHIN_MS);
      const settled = (settle) => (told) => { clearTimeout(late); settle(told); };
      this.wishes.set(key, { resolve: settled(resolve), reject: settled(reject) });
      this.#send({ type: "hold", id: key, lines });
    });
  }

  /** One heart; hearts are gathered for a moment and sent together. */
  heart() {
    if (this.hearts === 0) setTimeout(() => this.#sendHearts(), HEARTS_EVERY_MS);
    this.hearts = Math.min(this.hearts + 1, HEARTS_MAX);
  }

  /** Ask for the snapshot again; a room that does not answer is left and entered anew. */
  sync() {
    if (!this.welcomed) return this.#now();
    this.#send({ type: "sync" });
    return this.#within(SYNC_WITHIN_MS);
  }

  #connect() {
    this.#drop();
    clearTimeout(this.retry);
    this.welcomed = false;
    this.listener.state("connecting");
    const socket = new WebSocket(this.url, PROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.#send({ type: "hello", visitor: visitor(), ...(this.since && { since: this.since }) });
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (event) => this.#lost(event.code);
    this.#within(WELCOME_WITHIN_MS);
  }

  #within(limit_ms) {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => {
      this.#drop();
      this.#lost(0);
    }, limit_ms);
  }

  #drop() {
    clearTimeout(this.deadline);
    this.#giveUpWishes();
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  #lost(code) {
    clearTimeout(this.deadline);
    this.#giveUpWishes();
    this.socket = null;
    this.welcomed = false;
    if (this.stopped) return;
    if (code in STAYS_AWAY) {
      this.stopped = true;
      this.listener.state(STAYS_AWAY[code]);
      for (const { resolve } of this.unanswered.values()) resolve(UNSAID);
      this.unanswered.clear();
      return;
    }
    this.listener.state("waiting");
    const most_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.#connect(), Math.random() * most_ms);
  }

  #now() {
    if (!this.stopped && !this.socket) this.#connect();
  }

  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(message));
  }

  #receive(data) {
    if (this.welcomed) clearTimeout(this.deadline);
    let events;
    try {
      events = decode(data);
    } catch (error) {
      if (!(error instanceof MessagePackError)) throw error;
      this.socket.close();
      return;
    }
    for (const event of events) {
      if (event.offset && this.since) this.since.offset = event.offset;
      if (event.type === "welcome") this.#welcome(event);
      else if (event.type === "accepted" || event.type === "refused") this.#answered(event);
      else if (event.type === "held") this.#granted(event.id, event);
      else if (event.type === "not_held") this.#denied(event);
      else this.listener.event(event);
    }
  }

  #welcome(event) {
    clearTimeout(this.deadline);
    if (!event.you && this.listener.signedIn() && !this.renewed) {
      this.renewed = true;
      renewSession().then((renewed) => renewed && this.#connect());
    }
    this.since = { epoch: event.epoch, offset: event.offset };
    const first = !this.welcomed;
    this.welcomed = true;
    this.failures = 0;
    this.listener.state("open");
    this.listener.event(event);
    if (first) for (const { message } of this.unanswered.values()) this.#send(message);
  }

  #answered(event) {
    const said = this.unanswered.get(event.id);
    this.unanswered.delete(event.id);
    const arrived = event.shown || said?.message.question; // a question waits for the seller, shown or not
    const reason = event.type === "refused" ? event.reason : arrived ? null : "thinned";
    said?.resolve(reason && { reason, until_ms: event.until_ms ?? null });
  }

  #granted(key, held) {
    const wish = this.wishes.get(key);
    this.wishes.delete(key);
    wish?.resolve(held);
  }

  #denied({ id, problem: { status, code, type, title, detail, ...facts } }) {
    // A stale session is renewed over HTTP, and a busy room does not keep anybody from the shop.
    if (status === 401 || status === 429 || status >= 500) return this.#granted(id, null);
    const wish = this.wishes.get(id);
    this.wishes.delete(id);
    return wish?.reject(new Problem(status, code, facts));
  }

  #giveUpWishes() {
    for (const key of [...this.wishes.keys()]) this.#granted(key, null);
  }

  #sendHearts() {
    if (this.hearts > 0) this.#send({ type: "heart", count: this.hearts });
    this.hearts = 0;
  }
}
