/**
 * The shop assistant in the seller's console: its switch, the store's FAQ, and what it answered
 * lately. Everything is fetched when the seller opens it.
 */
import { api, explain } from "./api.js";
import { $, h, say } from "./dom.js";
import { clockTime, t } from "./text.js";

const ENTRIES_MAX = 40;
const QUESTION_MAX = 120;
const ANSWER_MAX = 300;

export class AssistantPanel {
  /** @param {{store: () => string|null, show: () => {id: string}|null}} now where the console is */
  constructor(now) {
    this.now = now;
    this.panel = $("#assistant");
    this.form = $("#faq-form");
    this.rows = $("#faq");
    this.alert = $("[data-alert]", this.form);
    this.panel.addEventListener("toggle", () => this.panel.open && this.#guard(() => this.#load()));
    $("#faq-add").addEventListener("click", () => this.#addRow().querySelector("input").focus());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#guard(() => this.#save());
    });
  }

  async #load() {
    const show = this.now.show();
    const [faq, lately] = await Promise.all([
      api("GET", this.#path()),
      show ? api("GET", `/shows/${show.id}/assistant`) : { answers: [] },
    ]);
    this.#fill(faq);
    $("#answers").replaceChildren(...lately.answers.map(answerRow));
    $("#answers-empty").hidden = lately.answers.length > 0;
  }

  async #save() {
    const entries = [...this.rows.children]
      .map((row) => ({ question: $("input", row).value.trim(), answer: $("textarea", row).value.trim() }))
      .filter((entry) => entry.question && entry.answer);
    const body = { on: this.form.elements.on.checked, entries };
    this.#fill(await api("PUT", this.#path(), { body }));
    say(this.alert, t("assistant.saved"));
  }

  #fill(faq) {
    this.form.elements.on.checked = faq.on;
    this.rows.replaceChildren();
    for (const entry of faq.entries) this.#addRow(entry);
    this.#count();
  }

  #addRow({ question = "", answer = "" } = {}) {
    const row = h("li", { class: "stack", "data-test": "faq-row" },
      h("label", { class: "field" }, h("span", {}, t("assistant.question")),
        h("input", { maxlength: QUESTION_MAX, value: question, "data-test": "faq-question" })),
      h("label", { class: "field" }, h("span", {}, t("assistant.answer")),
        h("textarea", { maxlength: ANSWER_MAX, rows: 2, "data-test": "faq-answer" }, answer)),
      h("button", { class: "plain small", type: "button", onclick: () => { row.remove(); this.#count(); } }, t("assistant.remove")));
    this.rows.append(row);
    this.#count();
    return row;
  }

  #count() {
    $("#faq-add").disabled = this.rows.childElementCount >= ENTRIES_MAX;
  }

  #path() {
    return `/stores/${encodeURIComponent(this.now.store())}/faq`;
  }

  async #guard(action) {
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, explain(error));
    }
  }
}

function answerRow(answered) {
  return h("li", { class: "row", "data-test": "answered" },
    h("div", { class: "row-main" },
      h("strong", {}, answered.question),
      h("span", {}, answered.answer),
      h("span", { class: "soft" }, clockTime(answered.at_ms), answered.private ? ` · ${t("assistant.private")}` : null)));
}
