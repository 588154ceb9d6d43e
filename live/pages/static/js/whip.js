/**
 * Going live: a WHIP publisher of one camera stream that comes back after every loss, keeps to a
 * bitrate, and can say how well it is doing.
 */
import { backoff, endSession, negotiate, Refused, watchConnection } from "./peer.js";
import { addCamera, limitBitrate, startingAt } from "./simulcast.js";

/** Who is sent away asks whether it may come back, but not before the one that replaced it is heard. */
const REJOIN_AFTER_MS = 400;

/** @typedef {"connecting"|"live"|"reconnecting"|"taken_over"|"over"|"stopped"} PublisherState */
/** @typedef {{kbps: number, fps: number, rtt_ms: number|null, limited: boolean}} Quality `limited`: by the network or the device */

export class WhipPublisher {
  /**
   * @param {MediaStream} stream
   * @param {{url: string, key: string, maxBitrate: number}} door where to publish, and how much
   * @param {(state: PublisherState) => void} onState
   */
  constructor(stream, { url, key, maxBitrate }, onState) {
    this.stream = stream;
    this.url = new URL(url, location.href).href;
    this.key = key;
    this.maxBitrate = maxBitrate;
    this.onState = onState;
    this.pc = null;
    this.session = null;
    /** The URL of the last session that began, be it over or not. */
    this.begun = null;
    this.failures = 0;
    this.timer = 0;
    this.wanted = false;
    /** What was sent of each size when `quality` was asked last. */
    this.last = new Map();
    this.abort = new AbortController();
    this.leave = () => this.#hangUp();
    this.online = () => { if (this.wanted && !this.pc) this.#attempt(); };
  }

  /** Publish, and keep publishing. */
  start() {
    this.wanted = true;
    addEventListener("pagehide", this.leave);
    addEventListener("online", this.online);
    this.onState("connecting");
    this.#attempt();
  }

  /**
   * Stop publishing. The show goes on, as "back in a moment", until somebody ends it.
   * @param {{over?: boolean}} [options] `over`: the show has ended and its sessions with it
   */
  stop({ over = false } = {}) {
    if (over) this.session = null;
    this.#leave("stopped");
  }

  /** A newer publisher replaced this session: stop when it was ours. @param {string} session its id @returns {boolean} */
  takenOver(session) {
    const ours = this.begun?.endsWith(`/${session}`) ?? false;
    if (ours) this.#leave("taken_over");
    return ours;
  }

  /** Another camera or microphone into the running connection. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    const sender = this.pc?.getSenders().find((one) => one.track?.kind === track.kind);
    await sender?.replaceTrack(track);
  }

  /** @param {number} maxBitrate bit/s of video */
  setBitrate(maxBitrate) {
    this.maxBitrate = maxBitrate;
    if (this.pc) limitBitrate(this.pc, maxBitrate);
  }

  /** How it went since the last time this was asked. @returns {Promise<Quality|null>} */
  async quality() {
    if (this.pc?.connectionState !== "connected") return null;
    const stats = [...(await this.pc.getStats()).values()];
    const sent = stats.filter((row) => row.type === "outbound-rtp" && row.kind === "video" && row.active !== false);
    const heard = stats.find((row) => row.type === "remote-inbound-rtp" && row.kind === "video");
    if (!sent.length) return null;
    const before = this.last;
    this.last = new Map(sent.map((row) => [row.ssrc, row]));
    return {
      kbps: Math.round(sent.reduce((sum, row) => sum + kbpsSince(before.get(row.ssrc), row), 0)),
      fps: Math.round(Math.max(...sent.map((row) => row.framesPerSecond ?? 0))),
      limited: sent.some((row) => !["none", undefined].includes(row.qualityLimitationReason)),
      rtt_ms: heard?.roundTripTime === undefined ? null : Math.round(heard.roundTripTime * 1000),
    };
  }

  async #attempt() {
    this.#hangUp();
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.pc = pc;
    this.abort = new AbortController();
    for (const track of this.stream.getTracks()) {
      if (track.kind === "video") preferH264(addCamera(pc, track, this.stream, this.maxBitrate));
      else pc.addTransceiver(track, { direction: "sendonly", streams: [this.stream] });
    }
    watchConnection(pc, {
      connected: () => this.#connected(),
      lost: ({ dismissed }) => this.#again(dismissed ? REJOIN_AFTER_MS : backoff(this.failures)),
    });
    try {
      const session = await negotiate(pc, this.url, {
        bearer: this.key, signal: this.abort.signal, heed: (answer) => startingAt(answer, this.maxBitrate),
      });
      if (this.pc !== pc) return endSession(session, this.key);
      this.session = this.begun = session;
      await limitBitrate(pc, this.maxBitrate);
    } catch (error) {
      if (this.pc === pc) this.#refused(error);
    }
  }

  #connected() {
    this.failures = 0;
    this.onState("live");
  }

  #refused(error) {
    const final = error instanceof Refused ? finalState(error) : null;
    if (final) return this.#leave(final);
    const asked_ms = error instanceof Refused ? error.retryAfterMs : null;
    return this.#again(asked_ms ?? backoff(this.failures + 1));
  }

  #leave(state) {
    this.wanted = false;
    removeEventListener("pagehide", this.leave);
    removeEventListener("online", this.online);
    this.#hangUp();
    this.onState(state);
  }

  #again(wait_ms) {
    this.#hangUp();
    if (!this.wanted) return;
    this.failures += 1;
    this.onState("reconnecting");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#attempt(), wait_ms);
  }

  #hangUp() {
    clearTimeout(this.timer);
    this.abort.abort();
    endSession(this.session, this.key);
    this.session = null;
    this.pc?.close();
    this.pc = null;
  }
}

/** What a refusal means that no second try would change; null for the others. */
function finalState({ status, code }) {
  if (status === 401 || code === "taken_over") return "taken_over";
  return [403, 404].includes(status) || code === "show_ended" ? "over" : null;
}

/** What one source sent between two looks. */
function kbpsSince(before, now) {
  const elapsed_ms = before ? now.timestamp - before.timestamp : 0;
  return elapsed_ms > 0 ? ((now.bytesSent - before.bytesSent) * 8) / elapsed_ms : 0;
}

/** H.264 first, because phones have it in hardware on both ends; the others stay as they were. */
function preferH264(transceiver) {
  const codecs = RTCRtpSender.getCapabilities?.("video")?.codecs;
  if (!codecs || !transceiver.setCodecPreferences) return;
  const isH264 = (codec) => codec.mimeType.toLowerCase() === "video/h264";
  transceiver.setCodecPreferences([...codecs.filter(isH264), ...codecs.filter((codec) => !isH264(codec))]);
}
