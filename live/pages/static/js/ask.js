/**
 * The switch that makes the next message a question for the seller, about the product that is
 * pinned as it is switched on, or another that was chosen. Once sent it is off again.
 */
import { tellDone } from "./deeds.js";
import { $, say } from "./dom.js";
import { t } from "./text.js";

/** @typedef {{product: string|null}} Question */

export class Ask {
  /** @param {{pinned: () => string|null, title: (product: string) => string|null}} shop */
  constructor(shop) {
    this.shop = shop;
    this.button = $("#ask");
    this.place = $("#asking");
    this.field = $("#say");
    this.placeholder = this.field.placeholder;
    /** @type {Question|null} what the next message asks about; null: it is no question */
    this.question = null;
    this.button.addEventListener("click", () => this.#set(this.question ? null : { product: shop.pinned() }));
    $("#asking-drop").addEventListener("click", () => this.#set({ product: null }));
  }

  /** Ask about this product next. @param {string} product */
  about(product) {
    this.#set({ product });
  }

  /** The next message is on its way. @returns {Question|null} */
  take() {
    const question = this.question;
    if (question) this.#show(null);
    return question;
  }

  /** It was taken: the seller has it. */
  sent() {
    tellDone(t("ask.sent"));
  }

  /** It was refused. @param {Question} question */
  restore(question) {
    if (!this.question) this.#show(question);
  }

  #set(question) {
    this.#show(question);
    this.field.focus();
  }

  #show(question) {
    this.question = question;
    const title = question?.product ? this.shop.title(question.product) : null;
    this.button.setAttribute("aria-pressed", String(Boolean(question)));
    this.place.hidden = !question;
    say($("[data-text]", this.place), title ? t("ask.about", { title }) : t("ask.to_seller"));
    $("#asking-drop").hidden = !title;
    this.field.placeholder = question ? t("ask.placeholder") : this.placeholder;
  }
}
