/**
 * Waiting for what is sold out: one's place in line on the product, and, when the turn has come, a
 * note that counts down by the server's clock, with the way to take it and the way to let it pass.
 */
import { requireAccount } from "./account.js";
import { api, explain, freshKey, Problem } from "./api.js";
import { $, announce, h, say } from "./dom.js";
import { availability } from "./shelf.js";
import { fullCount, hasText, lineName, minutesLeft, t } from "./text.js";

const TICK_MS = 250;
const PLACE_EVERY_MS = 15_000;

export class Waits {
  /**
   * @param {{show?: string|null, alert: HTMLElement, changed: () => void, held: () => Promise<void>, take: (product: string) => void}} options
   *   where to put refusals, whom to tell that the waits changed, that something is held now, and
   *   that the visitor wants to buy what is offered, or to choose what to wait for
   */
  constructor({ show = null, alert, changed, held, take }) {
    Object.assign(this, { show, alert, changed, held, take });
    /** @type {Map<string, any>} the visitor's waits by SKU */
    this.waits = new Map();
    this.offset_ms = 0;
    this.note = $("#offer-note");
    $("[data-take]", this.note).addEventListener("click", () => take(this.offer.product));
    $("[data-decline]", this.note).addEventListener("click", () => this.leave(this.offer));
    setInterval(() => { if (this.waits.size && !document.hidden) this.load(); }, PLACE_EVERY_MS);
  }

  /** Learn what the visitor waits for, and is being offered. */
  async load() {
    try {
      const { waits, now_ms } = await api("GET", "/waits");
      this.offset_ms = now_ms - Date.now();
      this.waits = new Map(waits.map((wait) => [wait.sku, wait]));
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // a visitor without a session waits for nothing
      this.waits.clear();
    }
    this.#showOffer([...this.waits.values()].find((wait) => wait.state === "offered") ?? null);
    this.changed();
  }

  /** @param {any} event `offer` or `wait` */
  async heard(event) {
    await this.load();
    if (event.type === "wait" && hasText(`wait.${event.state}`)) announce(t(`wait.${event.state}`));
  }

  /** @param {string} sku @returns {any} the visitor's place in its line, null when not waiting */
  of(sku) {
    const wait = this.waits.get(sku);
    return wait?.state === "waiting" ? wait : null;
  }

  /** Wait for one. @param {string} sku */
  async join(sku) {
    const body = { sku, ...(this.show ? { show: this.show } : {}) };
    await this.#try(async () => {
      if (await requireAccount(t("wait.sign_in"))) await api("POST", "/waits", { body, key: freshKey() });
    });
  }

  /** Wait no longer, or decline. @param {any} wait */
  async leave(wait) {
    await this.#try(() => api("DELETE", `/waits/${wait.id}`));
  }

  async #try(action) {
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, explain(error));
    }
    await this.load();
  }

  #showOffer(offer) {
    const news = offer && this.offer?.id !== offer.id;
    const changed = (offer?.id ?? null) !== (this.offer?.id ?? null);
    this.offer = offer;
    clearInterval(this.timer);
    this.note.hidden = !offer;
    if (changed) this.held();
    if (!offer) return;
    const text = t("wait.offer", { title: lineName(offer) });
    $("[data-text]", this.note).textContent = text;
    this.#tick();
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    if (news) announce(text);
  }

  #tick() {
    const left_ms = this.offer.expires_at_ms - (Date.now() + this.offset_ms);
    $("[data-clock]", this.note).textContent = minutesLeft(Math.max(0, left_ms));
    if (left_ms <= 0) {
      clearInterval(this.timer);
      this.load();
    }
  }
}

/** On a product: the way into its line when it is sold out, and each place in it with the way out. */
export class WaitLine {
  /** @param {Waits} waits @param {() => import("./shelf.js").Product} product */
  constructor(waits, product) {
    this.waits = waits;
    this.join = h("button", { class: "plain small", type: "button", "data-test": "wait-join", onclick: () => this.#join(product()) }, t("wait.join"));
    this.places = h("span", { class: "wait-places" });
    this.element = h("p", { class: "product-facts", hidden: true }, this.places, this.join);
    this.shown = "";
  }

  #join({ id, skus }) {
    if (skus.length === 1) this.waits.join(skus[0].id);
    else this.waits.take(id); // which of them is asked where one chooses
  }

  /** @param {import("./shelf.js").Product} product @param {boolean} mine whether the visitor holds one */
  show(product, mine) {
    const waits = product.skus.map((sku) => this.waits.of(sku.id)).filter(Boolean);
    this.join.hidden = mine || availability(product) === "open" || waits.length === product.skus.length;
    this.element.hidden = this.join.hidden && waits.length === 0;
    const shown = JSON.stringify(waits.map(({ id, place }) => [id, place]));
    if (shown === this.shown) return; // a button under a finger stays
    this.shown = shown;
    this.places.replaceChildren(...waits.flatMap((wait) => this.#place(wait)));
  }

  #place(wait) {
    const place = t("wait.place", { place: fullCount(wait.place) });
    const text = [...wait.options, place].join(" · ");
    const leave = h("button", { class: "plain small", type: "button", "data-test": "wait-leave", onclick: () => this.waits.leave(wait) }, t("wait.leave"));
    return [h("span", { class: "stock", "data-test": "wait-place" }, text), leave];
  }
}
