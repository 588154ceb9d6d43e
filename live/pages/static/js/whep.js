/**
 * Watching: a WHEP player that keeps one video element fed. It waits while nobody is on air,
 * comes back after every loss, and leaves politely.
 */
import { keepPatience } from "./patience.js";
import { backoff, endSession, negotiate, Refused, watchConnection } from "./peer.js";
import { Sight } from "./sight.js";

/** Between two tries while somebody else will tell when it is worth it. */
const PATIENT_WAIT_MS = 30_000;
/** A seller may come back with another codec. */
const OTHER_CODEC_WAIT_MS = 60_000;
/**
 * Who is sent away may come back soon, but not before the room can say that the show is over, not all
 * in the same moment, and not again and again.
 */
const REJOIN_AFTER_MS = 150;
const REJOIN_WITHIN_MS = 300;
const REJOIN_REST_MS = 5_000;

/** @typedef {"connecting"|"playing"|"not_on_air"|"reconnecting"|"unplayable"|"gone"} PlayerState */

export class WhepPlayer {
  /**
   * @param {HTMLVideoElement} video
   * @param {string} url the WHEP endpoint
   * @param {(state: PlayerState) => void} onState
   */
  constructor(video, url, onState) {
    this.video = video;
    this.url = url;
    this.onState = onState;
    this.pc = null;
    this.session = null;
    this.failures = 0;
    this.timer = 0;
    this.wanted = false;
    this.patient = false;
    this.sight = new Sight(video);
    this.dismissedAt = -REJOIN_REST_MS;
    this.abort = new AbortController();
    let asleep = false;
    addEventListener("pagehide", () => {
      asleep = this.wanted;
      this.stop();
    });
    addEventListener("pageshow", (event) => { if (event.persisted && asleep) this.start(); });
    addEventListener("online", () => this.hurry());
  }

  /** Begin to watch and keep watching. */
  start() {
    if (this.wanted) return;
    this.wanted = true;
    this.onState("connecting");
    this.#attempt();
  }

  /**
   * Stop, and tell the server.
   * @param {{over?: boolean}} [options] `over`: the show has ended and its sessions with it
   */
  stop({ over = false } = {}) {
    if (over) this.session = null;
    this.wanted = false;
    clearTimeout(this.timer);
    this.#hangUp();
  }

  /** Whether `hurry` will be called when the show comes on air, so that asking often is needless. @param {boolean} patient */
  setPatient(patient) {
    this.patient = patient;
  }

  /** Something says that trying now is worth it: the show is on air, the network is back. */
  hurry() {
    if (!this.wanted || this.pc) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#attempt(), Math.random() * 400);
  }

  async #attempt() {
    this.#hangUp();
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.pc = pc;
    this.abort = new AbortController();
    const stream = new MediaStream();
    for (const kind of ["video", "audio"]) {
      stream.addTrack(pc.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
    }
    watchConnection(pc, {
      connected: () => this.#connected(pc, stream),
      lost: ({ dismissed }) => this.#again("reconnecting", dismissed ? this.#dismissed() : backoff(this.failures)),
    });
    try {
      const session = await negotiate(pc, this.url, { signal: this.abort.signal });
      if (this.pc === pc) this.#begun(pc, session);
      else endSession(session);
    } catch (error) {
      if (this.pc === pc) this.#refused(error);
    }
  }

  #begun(pc, session) {
    this.session = session;
    if (pc.connectionState === "connected") this.sight.follow(pc, session);
  }

  /** The server ended the session, as when the publisher's codec changes. @returns {number} ms to wait */
  #dismissed() {
    this.session = null;
    const before = this.dismissedAt;
    this.dismissedAt = performance.now();
    return this.dismissedAt - before < REJOIN_REST_MS ? backoff(this.failures + 1) : REJOIN_AFTER_MS + Math.random() * REJOIN_WITHIN_MS;
  }

  #connected(pc, stream) {
    if (this.pc !== pc) return;
    this.failures = 0;
    if (this.video.srcObject !== stream) this.video.srcObject = stream;
    keepPatience(pc);
    this.video.play().catch(() => {}); // a browser that forbids it shows its own button
    this.sight.follow(pc, this.session);
    this.onState("playing");
  }

  #refused(error) {
    if (error instanceof Refused && error.status === 404) {
      this.#hangUp();
      return this.onState("gone");
    }
    if (error instanceof Refused && error.status === 422) {
      return this.#again("unplayable", OTHER_CODEC_WAIT_MS * (0.75 + Math.random() / 2));
    }
    const notOnAir = error instanceof Refused && error.status === 409;
    const asked_ms = error instanceof Refused ? error.retryAfterMs : null;
    if (notOnAir && this.patient) return this.#again("not_on_air", PATIENT_WAIT_MS * (0.75 + Math.random() / 2));
    const wait_ms = asked_ms === null ? backoff(this.failures + 1) : asked_ms * (0.75 + Math.random() / 2);
    return this.#again(notOnAir ? "not_on_air" : "reconnecting", wait_ms);
  }

  #again(state, wait_ms) {
    this.#hangUp();
    if (!this.wanted) return;
    this.failures += 1;
    this.onState(state);
    this.timer = setTimeout(() => this.#attempt(), wait_ms);
  }

  #hangUp() {
    this.abort.abort();
    this.sight.leave();
    endSession(this.session);
    this.session = null;
    this.pc?.close();
    this.pc = null;
  }
}
