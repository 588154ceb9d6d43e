/**
 * The questions that wait for the seller, oldest first, behind one button beside the box. The list
 * is as the server has it, kept up by the room's events; what is typed stays until it is sent or
 * somebody else has answered.
 */
import { api, explain } from "./api.js";
import { $, h, say, sheet } from "./dom.js";
import { t } from "./text.js";

const ANSWER_MAX = 300;
const COUNTED_MAX = 99;

export class QuestionSheet {
  /** @param {{show: () => string|undefined, title: (product: string) => string|null}} room its show's id; a product's name */
  constructor(room) {
    this.room = room;
    this.sheet = sheet($("#questions-sheet"));
    this.alert = $("[data-alert]", this.sheet);
    /** @type {Map<string, HTMLElement>} by question */
    this.rows = new Map();
    /** @type {Map<string, number>} the newest version known of each */
    this.versions = new Map();
    $("#questions-open").addEventListener("click", () => {
      this.load();
      this.sheet.showModal();
    });
  }

  /** Ask the server what waits. */
  async load() {
    const show = this.room.show();
    const before = new Map(this.versions);
    await this.#act(async () => {
      const found = [];
      for (let after = 0; after !== null;) {
        const page = await api("GET", `${this.#path(show)}?after=${after}`);
        found.push(...page.questions);
        after = page.more;
      }
      if (show === this.room.show()) this.#replace(found, before);
    });
  }

  /** Nothing waits: another show was chosen, or it is nobody's to see any more. */
  clear() {
    this.versions.clear();
    for (const id of [...this.rows.keys()]) this.#remove(id);
    this.#count();
  }

  /** A question is as told here now. @param {any} question */
  changed(question) {
    if (this.versions.get(question.id) >= question.version) return;
    this.versions.set(question.id, question.version);
    if (question.state === "open") this.#add(question);
    else this.#remove(question.id);
    this.#count();
  }

  /** What changed while the server was asked is newer than its answer. */
  #replace(found, before) {
    const waiting = new Set(found.map((question) => question.id));
    for (const id of [...this.rows.keys()]) {
      if (!waiting.has(id) && this.versions.get(id) === before.get(id)) this.#remove(id);
    }
    for (const question of found) this.changed(question);
    this.#count();
  }

  #add(question) {
    const row = this.#row(question);
    this.rows.set(question.id, row);
    row.dataset.asked = question.asked_at_ms;
    const later = [...this.rows.values()].filter((one) => Number(one.dataset.asked) > question.asked_at_ms);
    $("#questions").insertBefore(row, later[0] ?? null);
  }

  #remove(id) {
    this.rows.get(id)?.remove();
    this.rows.delete(id);
  }

  #count() {
    const count = this.rows.size;
    const dot = $("#questions-count");
    dot.textContent = count > COUNTED_MAX ? `${COUNTED_MAX}+` : String(count);
    dot.hidden = count === 0;
    $("#questions-empty").hidden = count > 0;
  }

  #path(show) {
    return `/shows/${encodeURIComponent(show)}/questions`;
  }

  async #act(action) {
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, explain(error));
    }
  }

  /** Settle a question; where it was settled otherwise meanwhile, show what waits now. */
  async #settle(question, what, body) {
    await this.#act(async () => {
      try {
        this.changed(await api("POST", `${this.#path(question.show)}/${encodeURIComponent(question.id)}/${what}`, { body }));
      } catch (error) {
        if (error.status === 409) await this.load();
        throw error;
      }
    });
  }

  #row(question) {
    const about = question.product ? this.room.title(question.product) : null;
    const notes = [about, question.handed_over ? t("questions.handed_over") : null].filter(Boolean);
    const form = this.#form(question);
    const open = () => {
      form.hidden = !form.hidden;
      if (!form.hidden) $("textarea", form).focus();
    };
    const button = (kind, test, text, onclick) => h("button", { class: `${kind} small`, type: "button", "data-test": test, onclick }, text);
    return h("li", { class: "row question-row", "data-test": "question" },
      h("div", { class: "row-main" }, h("strong", {}, question.name), h("span", { class: "question-text" }, question.text),
        notes.length ? h("span", { class: "soft" }, notes.join(" · ")) : null),
      h("div", { class: "question-deeds" },
        button("secondary", "question-live", t("questions.live"), () => this.#settle(question, "answer", { text: null })),
        button("secondary", "question-write", t("questions.write"), open),
        button("plain", "question-dismiss", t("questions.dismiss"), () => this.#settle(question, "dismiss"))),
      form);
  }

  #form(question) {
    const send = h("button", { class: "primary small", "data-test": "question-send" }, t("questions.send"));
    const field = h("textarea", { name: "answer", rows: 2, maxlength: ANSWER_MAX, required: true, "data-test": "question-answer" });
    const submit = async (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return field.focus();
      send.disabled = true;
      await this.#settle(question, "answer", { text });
      send.disabled = false;
      return undefined;
    };
    return h("form", { class: "question-form", hidden: true, onsubmit: submit },
      h("label", { class: "field" }, h("span", {}, t("questions.answer")), field), send);
  }
}
