/**
 * The editor of a store's FAQ: a folded row for each question. What is typed stays until it is
 * saved; an entry that lacks a half is not dropped silently, one that is all blank is.
 */
import { $, h } from "./dom.js";
import { t } from "./text.js";

const ENTRIES_MAX = 40;
const QUESTION_MAX = 120;
const ANSWER_MAX = 300;

/** @typedef {{question: string, answer: string}} Entry */

export class FaqEditor {
  /** @param {() => void} touched called when anything was changed by hand */
  constructor(touched) {
    this.touched = touched;
    this.rows = $("#faq");
    this.button = $("#faq-add");
    this.rows.addEventListener("input", touched);
    this.button.addEventListener("click", () => this.#begin());
  }

  /** Show exactly these. @param {Entry[]} entries */
  replace(entries) {
    this.rows.replaceChildren(...entries.map((entry) => this.#row(entry)));
    this.#count();
  }

  /** What is typed, or null where an entry lacks a half: that one is opened and marked. @returns {Entry[]|null} */
  entries() {
    const all = [...this.rows.children].map((row) => ({ row, halves: [$("input", row), $("textarea", row)] }));
    for (const { halves } of all) for (const half of halves) half.removeAttribute("aria-invalid");
    const kept = all.filter(({ halves }) => halves.some((half) => half.value.trim()));
    const lacking = kept.find(({ halves }) => !halves.every((half) => half.value.trim()));
    if (!lacking) return kept.map(({ halves: [question, answer] }) => ({ question: question.value.trim(), answer: answer.value.trim() }));
    const half = lacking.halves.find((one) => !one.value.trim());
    $("details", lacking.row).open = true;
    half.setAttribute("aria-invalid", "true");
    half.focus();
    return null;
  }

  #begin() {
    const row = this.#row({ question: "", answer: "" });
    this.rows.append(row);
    $("details", row).open = true;
    $("input", row).focus();
    this.#count();
    this.touched();
  }

  /** @param {Entry} entry */
  #row({ question, answer }) {
    const title = h("span", { class: "faq-title" }, question || t("assistant.new"));
    const row = h("li", { "data-test": "faq-row" },
      h("details", { class: "faq-entry" },
        h("summary", { "data-test": "faq-open" }, title),
        h("label", { class: "field" }, h("span", {}, t("assistant.question")),
          h("input", { maxlength: QUESTION_MAX, value: question, "data-test": "faq-question", oninput: (event) => { title.textContent = event.target.value.trim() || t("assistant.new"); } })),
        h("label", { class: "field" }, h("span", {}, t("assistant.answer")),
          h("textarea", { maxlength: ANSWER_MAX, rows: 2, "data-test": "faq-answer" }, answer)),
        h("button", { class: "plain small", type: "button", "data-test": "faq-remove", onclick: () => this.#remove(row) }, t("assistant.remove"))));
    return row;
  }

  #remove(row) {
    row.remove();
    this.#count();
    this.button.focus();
    this.touched();
  }

  #count() {
    this.button.disabled = this.rows.childElementCount >= ENTRIES_MAX;
  }
}
