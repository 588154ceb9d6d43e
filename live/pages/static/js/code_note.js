/**
 * What became of a code that the visitor said in the chat: a note for a while, and the way to pay.
 */
import { $ } from "./dom.js";
import { lineName, t } from "./text.js";

const SHOWN_MS = 12_000;

export class CodeNote {
  /** @param {HTMLElement} place @param {{held: () => Promise<void>, pay: (product: any) => void}} options something is held now; the visitor wants to pay for it */
  constructor(place, { held, pay }) {
    this.place = place;
    this.held = held;
    this.product = null;
    $("[data-pay]", place).addEventListener("click", () => {
      place.hidden = true;
      pay(this.product);
    });
  }

  /** @param {any} event `code` @param {any} product that the code is of, null when it is not known here */
  async heard(event, product) {
    this.product = product;
    if (event.hold) await this.held();
    const title = event.hold ? lineName(event.hold) : event.code;
    $("[data-text]", this.place).textContent = t(`code.${event.outcome}`, { code: event.code, title, quantity: event.quantity });
    $("[data-pay]", this.place).hidden = !event.hold || !product;
    this.place.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.place.hidden = true; }, SHOWN_MS);
  }
}
