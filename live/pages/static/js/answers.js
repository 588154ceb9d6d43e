/**
 * What was answered: known by its question, newest last, and shown on the card of the product it is
 * about. Of two versions of an answer the higher holds; one that is taken back is shown no more.
 */
import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { fullCount, t } from "./text.js";

const KNOWN_MAX = 500;
/** So many about each product come with the room's welcome; there may be more. */
const WELCOMED = 3;

/** @typedef {{id: string, product: string|null, question: string, answer: string|null, state: string, answered_at_ms: number, version: number}} Answer */

export class Answers {
  constructor() {
    /** @type {Map<string, Answer>} */
    this.known = new Map();
  }

  /** Know one, unless something newer is known. @param {Answer} answer @returns {boolean} whether it was news */
  put(answer) {
    if (this.known.get(answer.id)?.version >= answer.version) return false;
    this.known.delete(answer.id);
    this.known.set(answer.id, answer);
    if (this.known.size > KNOWN_MAX) this.known.delete(this.known.keys().next().value);
    return true;
  }

  /** @param {string} question @returns {Answer|null} */
  of(question) {
    const answer = this.known.get(question);
    return answer && answer.state !== "dismissed" ? answer : null;
  }

  /** @param {string} product @returns {Answer[]} those in text about a product, newest first */
  about(product) {
    const found = [...this.known.values()].filter((answer) => answer.product === product && answer.state === "answered_text");
    return found.sort((a, b) => b.answered_at_ms - a.answered_at_ms);
  }
}

/** The answers about one product, at the foot of its card; those a welcome leaves out are fetched when they are opened. */
export class AnswersView {
  /**
   * @param {string} product
   * @param {Answers} answers where they are known
   * @param {{ask?: () => void, welcomed?: boolean}} [options] `ask`: what a button to ask about it does;
   *   `welcomed`: whether a room tells of answers here
   */
  constructor(product, answers, { ask, welcomed = true } = {}) {
    this.product = product;
    this.answers = answers;
    this.welcomed = welcomed;
    this.whole = false;
    this.title = h("summary", { "data-test": "answers-open" });
    this.list = h("ul", { class: "answers" });
    this.details = h("details", { class: "product-answers", ontoggle: () => this.details.open && this.#fetch() }, this.title, this.list);
    const button = ask && h("button", { class: "plain small", type: "button", "data-test": "ask-about", onclick: ask }, icon("ask"), t("ask.ask"));
    this.element = h("div", { class: "product-foot" }, this.details, button);
    this.asks = Boolean(ask);
    /** @type {string|null} which answers are shown */
    this.told = null;
    this.show();
  }

  /** Show what is known now. */
  show() {
    const found = this.answers.about(this.product);
    const known = this.welcomed || this.whole;
    const told = `${known} ${found.map(({ id, version }) => `${id} ${version}`)}`;
    if (told === this.told) return;
    this.told = told;
    this.title.textContent = known ? t("ask.answers", { count: fullCount(found.length) }) : t("ask.all_answers");
    this.details.hidden = this.welcomed && found.length === 0;
    this.element.hidden = this.details.hidden && !this.asks;
    this.list.replaceChildren(...found.map((one) => h("li", { "data-test": "product-answer" },
      h("p", { class: "answers-question" }, one.question), h("p", {}, one.answer))));
  }

  async #fetch() {
    if (this.whole || (this.welcomed && this.answers.about(this.product).length < WELCOMED)) return;
    try {
      const { answers } = await api("GET", `/products/${encodeURIComponent(this.product)}/answers`);
      for (const one of answers) this.answers.put(one);
      this.whole = true;
      this.show();
    } catch {
      // those known are shown; opening it again asks again
    }
  }
}
