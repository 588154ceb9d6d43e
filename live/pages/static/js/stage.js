/**
 * The picture and the curtain before it: one place decides what a viewer sees while there is no
 * picture, from what the room says of the show and what the player says of the connection.
 */
import { $, h, icon, say } from "./dom.js";
import { moment, t } from "./text.js";
import { WhepPlayer } from "./whep.js";

export class Stage {
  /**
   * @param {string} show
   * @param {() => void} readAgain called when somebody wants to read the talk of a show that is over
   */
  constructor(show, readAgain) {
    this.readAgain = readAgain;
    this.video = $("#video");
    this.show = { stage: "scheduled", on_air: false, starts_at_ms: null };
    this.store = null;
    this.known = false;
    this.player = "connecting";
    this.whep = new WhepPlayer(this.video, `/whep/${encodeURIComponent(show)}`, (state) => this.#playerIs(state));
    for (const event of ["playing", "resize", "loadedmetadata"]) this.video.addEventListener(event, () => this.#draw());
    this.#sound();
    this.whep.start();
  }

  /** @param {{stage?: string, on_air?: boolean, starts_at_ms?: number|null}} facts */
  setShow(facts) {
    const wasOnAir = this.known && this.show.on_air;
    this.show = { ...this.show, ...facts };
    this.known = true;
    this.whep.setPatient(!this.show.on_air);
    if (this.show.stage === "ended") this.whep.stop({ over: true });
    else if (this.show.on_air && !wasOnAir) this.whep.hurry();
    this.#draw();
  }

  /** @param {{slug: string, name: string}} store */
  setStore(store) {
    this.store = store;
    this.#draw();
  }

  /** There is no such show. */
  setGone() {
    this.whep.stop();
    this.show = { ...this.show, stage: "gone", on_air: false };
    this.known = true;
    this.#draw();
  }

  #playerIs(state) {
    this.player = state;
    this.#draw();
  }

  #draw() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth) this.video.dataset.shape = videoWidth > videoHeight ? "wide" : "tall";
    const playing = this.player === "playing" && videoWidth > 0 && (this.show.on_air || !this.known);
    document.body.dataset.stage = this.show.stage;
    $("#live-badge").hidden = !(this.show.stage === "live" && this.show.on_air);
    $("#sound").hidden = !playing;
    const words = playing ? null : this.#words();
    const curtain = $("#curtain");
    curtain.hidden = !words;
    if (!words || curtain.dataset.words === words.text + words.detail) return;
    curtain.dataset.words = words.text + words.detail;
    $("#curtain-text").textContent = words.text;
    say($("#curtain-detail"), words.detail);
    this.#actions(words.over);
  }

  #words() {
    const { stage, on_air, starts_at_ms } = this.show;
    const words = (key, detail = "", over = false) => ({ text: t(key), detail, over });
    if (!this.known) return words("watch.opening");
    if (stage === "gone") return words("watch.gone", "", true);
    if (stage === "ended") return words("watch.ended", t("watch.ended_detail"), true);
    if (on_air && this.player === "unplayable") return words("watch.unplayable", t("watch.unplayable_detail"));
    if (on_air) return words(this.player === "reconnecting" ? "watch.reconnecting" : "watch.opening");
    if (stage === "live") return words("watch.back_soon", t("watch.back_soon_detail"));
    return words("watch.not_yet", starts_at_ms ? t("watch.starts", { when: moment(starts_at_ms) }) : t("watch.not_yet_detail"));
  }

  #actions(over) {
    const place = $("#curtain-actions");
    place.hidden = !over;
    if (!over) return place.replaceChildren();
    const toStore = this.store && h("a", { class: "primary", href: `/stores/${encodeURIComponent(this.store.slug)}` }, t("watch.to_store", { store: this.store.name }));
    const again = this.show.stage === "ended" && h("button", { class: "plain", type: "button", "data-test": "past-open", onclick: this.readAgain }, t("past.open"));
    return place.replaceChildren(...[toStore, again, h("a", { class: "plain", href: "/" }, t("watch.to_home"))].filter(Boolean));
  }

  #sound() {
    const button = $("#sound");
    button.addEventListener("click", () => {
      this.video.muted = !this.video.muted;
      this.video.play().catch(() => { this.video.muted = true; });
    });
    this.video.addEventListener("volumechange", () => {
      const { muted } = this.video;
      button.replaceChildren(icon(muted ? "mute" : "sound"), h("span", { class: muted ? "" : "quiet" }, t(muted ? "watch.unmute" : "watch.mute")));
    });
  }
}
