/**
 * How many watched a show: the most at once, and the different ones who came.
 */
import { api } from "./api.js";
import { say } from "./dom.js";
import { shortCount, t } from "./text.js";

const LOOK_EVERY_MS = 10_000;

export class Attendance {
  /** @param {HTMLElement} fact where it is told */
  constructor(fact) {
    this.fact = fact;
    this.show = null;
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** The chosen show. @param {{id: string}|null} show */
  setShow(show) {
    if (this.show === (show?.id ?? null)) return;
    this.show = show?.id ?? null;
    say(this.fact);
    this.#look();
  }

  /** What cannot be known now is asked for again a moment later. */
  async #look() {
    const show = this.show;
    if (!show || document.hidden) return;
    const told = await api("GET", `/shows/${show}/attendance`).catch(() => null);
    if (!told || show !== this.show || !told.visitors) return;
    say(this.fact, t("sell.attendance", { peak: shortCount(told.peak), visitors: shortCount(told.visitors) }));
  }
}
