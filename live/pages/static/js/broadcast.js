/**
 * The controls over the camera picture: preview, go live, how it is going, and the end.
 */
import { api, explain } from "./api.js";
import { Camera, CameraError } from "./camera.js";
import { $, icon, say, sheet } from "./dom.js";
import { shortCount, t } from "./text.js";
import { WhipPublisher } from "./whip.js";

const LOOK_EVERY_MS = 2_000;
/** What was said of the viewers so long ago is not true any more. */
const HEALTH_FRESH_MS = 15_000;

export class Broadcast {
  /** @param {{showOf: () => Promise<any>, ended: (show: any) => void}} options `showOf` gives the chosen show, or null after telling the seller to make one */
  constructor({ showOf, ended }) {
    this.showOf = showOf;
    this.ended = ended;
    this.camera = new Camera($("#preview"));
    /** @type {WhipPublisher|null} */
    this.publisher = null;
    this.show = null;
    this.wakeLock = null;
    this.healthTimer = 0;
    this.confirmation = sheet($("#end-dialog"));
    $("#camera-on").addEventListener("click", () => this.#guard(() => this.#preview()));
    $("#camera-flip").addEventListener("click", () => this.#guard(() => this.#flip()));
    $("#camera-mic").addEventListener("click", () => this.#microphone());
    $("#go-live").addEventListener("click", () => this.#guard(() => this.#goLive()));
    $("#end-show").addEventListener("click", () => this.confirmation.showModal());
    $("#end-confirm").addEventListener("click", () => this.#guard(() => this.#end()));
    $("#bitrate").addEventListener("change", (event) => this.publisher?.setBitrate(Number(event.target.value)));
    addEventListener("beforeunload", (event) => { if (this.publisher) event.preventDefault(); });
    document.addEventListener("visibilitychange", () => { if (this.publisher && !document.hidden) this.#stayAwake(); });
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** The chosen show, or what the server now says of it. @param {any|null} show */
  setShow(show) {
    this.show = show;
    this.#draw();
  }

  /** Whether this page is publishing. */
  get publishing() {
    return Boolean(this.publisher);
  }

  /** How the show reaches its viewers. @param {{viewers: number, bitrate_bps: number, loss: number, freezes: number}} told */
  setHealth({ viewers, bitrate_bps, loss, freezes }) {
    clearTimeout(this.healthTimer);
    this.healthTimer = setTimeout(() => say($("#health")), HEALTH_FRESH_MS);
    if (!viewers) return say($("#health"));
    return say($("#health"), t("camera.health", {
      count: shortCount(viewers),
      rate: (bitrate_bps / 1e6).toFixed(1),
      loss: (loss * 100).toFixed(1),
      freezes: t(freezes === 1 ? "camera.freeze" : "camera.freezes", { count: freezes }),
    }));
  }

  /** A newer publisher took over from a session of this show. @param {string} session its id */
  takenOver(session) {
    if (!this.publisher) say($("#sell-alert"), t("camera.other_took_over"));
    else this.publisher.takenOver(session);
  }

  async #guard(action) {
    say($("#sell-alert"));
    try {
      await action();
    } catch (error) {
      say($("#sell-alert"), error instanceof CameraError ? t(`camera.error_${error.reason}`) : explain(error));
    }
  }

  async #preview() {
    await this.camera.start();
    $("#camera-off").hidden = true;
    this.#drawMicrophone();
  }

  async #flip() {
    await this.#preview();
    await this.publisher?.replaceTrack(await this.camera.flip());
  }

  #microphone() {
    this.camera.setMicrophone(!this.camera.hears);
    this.#drawMicrophone();
  }

  #drawMicrophone() {
    const silent = Boolean(this.camera.stream) && !this.camera.hears;
    $("#camera-mic").setAttribute("aria-pressed", String(silent));
    $("#camera-mic").replaceChildren(icon(silent ? "mic-off" : "mic"));
  }

  async #goLive() {
    const button = $("#go-live");
    button.disabled = true;
    try {
      const show = await this.showOf();
      if (!show) return;
      await this.#preview();
      const { key, whip_url } = await api("POST", `/shows/${show.id}/publish-key`);
      this.publisher?.stop();
      this.publisher = new WhipPublisher(
        this.camera.stream, { url: whip_url, key, maxBitrate: Number($("#bitrate").value) }, (state) => this.#publisherIs(state),
      );
      this.publisher.start();
      this.#stayAwake();
    } finally {
      button.disabled = false;
      this.#draw();
    }
  }

  async #end() {
    this.confirmation.close();
    const show = this.show;
    const ended = await api("POST", `/shows/${show.id}/end`);
    this.publisher?.stop({ over: true });
    this.ended(ended);
  }

  #publisherIs(state) {
    this.state = state;
    if (["stopped", "taken_over", "over"].includes(state)) {
      this.publisher = null;
      this.wakeLock?.release();
      this.wakeLock = null;
    }
    if (["taken_over", "over"].includes(state)) say($("#sell-alert"), t(`camera.${state}`));
    this.#draw();
  }

  #draw() {
    const live = this.show?.stage === "live";
    const texts = { connecting: t("camera.connecting"), reconnecting: t("camera.reconnecting"), live: t("camera.on_air") };
    $("#camera-status").textContent = this.publisher ? texts[this.state] ?? "" : "";
    document.body.dataset.publisher = this.publisher ? this.state : "off";
    $("#go-live").hidden = Boolean(this.publisher);
    $("#go-live").textContent = t(live ? "camera.rejoin" : "camera.go_live");
    $("#end-show").hidden = !(live || this.publisher);
    $("#live-facts").hidden = !(live || this.publisher);
    $("#on-air-badge").hidden = this.state !== "live" || !this.publisher;
    $("#quality").hidden = !this.publisher;
  }

  async #look() {
    const quality = await this.publisher?.quality();
    if (!quality) return say($("#quality"));
    const grade = quality.fps < 12 ? "poor" : quality.limited ? "fair" : "good";
    const rtt = quality.rtt_ms === null ? "–" : quality.rtt_ms;
    say($("#quality"), t("camera.quality", { grade: t(`camera.quality_${grade}`), kbps: quality.kbps, fps: quality.fps, rtt }));
    $("#quality").dataset.grade = grade;
    return undefined;
  }

  async #stayAwake() {
    try {
      this.wakeLock = (await navigator.wakeLock?.request("screen")) ?? null;
    } catch {
      this.wakeLock = null; // low battery or a hidden page: the screen may sleep
    }
  }
}
