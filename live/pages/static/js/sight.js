/**
 * What a viewer's page tells the node that serves it: whether its picture is seen at all, how many
 * lines of it are worth sending, and how often it froze. Told when it changes, by one request at a
 * time, so that the last word is the one that counts.
 */

const LOOK_EVERY_MS = 2_000;
/** Freezes are told no more often than this; wishes at once. */
const REPORT_EVERY_MS = 10_000;
const SETTLE_MS = 500;
const RETRY_MS = 2_000;
/** Layers double in lines, so the smallest that fills what is shown has less than twice its lines. */
const SPARE = 2;
const ROUND_TO = 10;

export class Sight {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.pc = null;
    this.url = "";
    this.timer = 0;
    this.settling = 0;
    const look = () => this.#wish();
    document.addEventListener("visibilitychange", look);
    for (const event of ["enterpictureinpicture", "leavepictureinpicture"]) video.addEventListener(event, look);
    const settle = () => {
      clearTimeout(this.settling);
      this.settling = setTimeout(look, SETTLE_MS);
    };
    new ResizeObserver(settle).observe(video);
    video.addEventListener("resize", settle);
  }

  /**
   * A session plays: speak for it until `leave`.
   * @param {RTCPeerConnection} pc
   * @param {string|null} session its URL
   */
  follow(pc, session) {
    if (this.pc === pc || !session) return;
    this.leave();
    this.pc = pc;
    this.url = viewerOf(session);
    this.told = { paused: false, max_height: null, freezes: 0, frozen_s: 0 };
    this.freezes = new Freezes();
    this.reportAt = performance.now() + REPORT_EVERY_MS;
    this.telling = false;
    this.timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#wish();
  }

  /** The session is over. */
  leave() {
    clearInterval(this.timer);
    this.pc = null;
  }

  get #hidden() {
    return document.hidden && document.pictureInPictureElement !== this.video;
  }

  #wish() {
    if (!this.pc) return;
    if (this.#hidden) this.freezes.pause();
    else this.#look();
    this.#tell();
  }

  async #look() {
    const pc = this.pc;
    if (this.#hidden) return;
    const row = [...(await pc.getStats()).values()].find((one) => one.type === "inbound-rtp" && one.kind === "video");
    if (this.pc !== pc || !row) return;
    this.freezes.look({ freezes: row.freezeCount ?? 0, frozen_s: row.totalFreezesDuration ?? 0, frames: row.framesDecoded ?? 0 });
    if (this.freezes.counted.freezes !== this.told.freezes && performance.now() >= this.reportAt) this.#tell();
  }

  /** Say how things are, unless that is said or being said. */
  async #tell() {
    const { pc } = this;
    if (!pc || this.telling) return;
    const facts = { paused: this.#hidden, max_height: linesOf(this.video), ...this.freezes.counted };
    if (JSON.stringify(facts) === JSON.stringify(this.told)) return;
    this.telling = true;
    const wait_ms = await put(this.url, facts);
    if (this.pc !== pc) return;
    this.telling = false;
    if (wait_ms === null) return this.leave();
    if (wait_ms > 0) return void setTimeout(() => this.#tell(), wait_ms);
    this.told = facts;
    this.reportAt = performance.now() + REPORT_EVERY_MS;
    return this.#tell();
  }
}

/** Freezes as the browser counts them, but for the one that a pause looks like to it. */
export class Freezes {
  constructor() {
    this.counted = { freezes: 0, frozen_s: 0 };
    this.last = { freezes: 0, frozen_s: 0, frames: 0 };
    this.paused = false;
    /** Frames decoded when the picture was seen again; null before that. */
    this.since = null;
  }

  /** The picture stops, and nobody sees it. */
  pause() {
    this.paused = true;
    this.since = null;
  }

  /** What the browser has counted in all; to be told while the picture is seen. @param {{freezes: number, frozen_s: number, frames: number}} now */
  look(now) {
    const { last } = this;
    this.last = now;
    if (!this.paused) {
      this.counted = { freezes: this.counted.freezes + now.freezes - last.freezes, frozen_s: this.counted.frozen_s + now.frozen_s - last.frozen_s };
    } else if (this.since === null) this.since = now.frames;
    else if (now.frames > this.since) this.paused = false;
  }
}

/** @returns {Promise<number|null>} 0 when it was heard, else ms to wait before saying it again, null when nobody listens any more */
async function put(url, facts) {
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(facts), keepalive: true });
    if (response.ok) return 0;
    if (response.status === 429) return 1_000 * (Number(response.headers.get("Retry-After")) || 1);
    return response.status >= 500 ? RETRY_MS : null;
  } catch {
    return RETRY_MS;
  }
}

/** Where to speak for a WHEP session: on the node that has it. @param {string} session */
function viewerOf(session) {
  const [show, id] = new URL(session).pathname.split("/").slice(2);
  return new URL(`/shows/${show}/viewers/${id}`, session).href;
}

/**
 * The most lines of picture worth sending for this element, from the size it is shown in.
 * @param {HTMLVideoElement} video
 * @returns {number|null} null while it has no size
 */
export function linesOf(video) {
  const { clientWidth, clientHeight, videoWidth, videoHeight } = video;
  if (!clientWidth || !clientHeight || !videoWidth || !videoHeight) return null;
  const wide = (clientWidth * videoHeight) / videoWidth;
  const shown = getComputedStyle(video).objectFit === "cover" ? Math.max(wide, clientHeight) : Math.min(wide, clientHeight);
  return Math.max(ROUND_TO, Math.round((shown * devicePixelRatio * SPARE) / ROUND_TO) * ROUND_TO);
}
