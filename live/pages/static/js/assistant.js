/**
 * The shop assistant in the seller's console: its switch, the store's FAQ, and what it answered
 * lately. Nothing can be saved before what is kept was fetched; the switch works at once, whatever
 * is being typed; what was typed outlives the panel's being closed.
 */
import { api, explain } from "./api.js";
import { $, h, say } from "./dom.js";
import { FaqEditor } from "./faq.js";
import { clockTime, t } from "./text.js";

const LOOK_EVERY_MS = 5_000;

export class AssistantPanel {
  /** @param {{store: () => string|null, show: () => {id: string}|null}} now where the console is */
  constructor(now) {
    this.now = now;
    this.kept = null;
    this.typed = false;
    this.panel = $("#assistant");
    this.switch = $("#assistant-on");
    this.form = $("#faq-form");
    this.editor = new FaqEditor(() => this.#touched());
    this.panel.addEventListener("toggle", () => this.panel.open && this.#open());
    this.switch.addEventListener("change", () => this.#turn());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    setInterval(() => this.panel.open && this.panel.checkVisibility() && !document.hidden && this.#look(), LOOK_EVERY_MS);
  }

  #open() {
    this.#look();
    if (!this.typed) this.#guard(async () => this.#keep(await api("GET", this.#path())));
  }

  async #look() {
    const show = this.now.show();
    try {
      const { answers } = show ? await api("GET", `/shows/${show.id}/assistant`) : { answers: [] };
      say($("#answers-alert"));
      $("#answers").replaceChildren(...answers.map(answerRow));
      $("#answers-empty").hidden = answers.length > 0;
    } catch (error) {
      say($("#answers-alert"), explain(error));
    }
  }

  #turn() {
    const { entries } = this.kept;
    this.#guard(async () => {
      this.kept = await api("PUT", this.#path(), { body: { on: this.switch.checked, entries } });
    }).finally(() => { this.switch.checked = this.kept.on; });
  }

  #save() {
    const entries = this.editor.entries();
    if (!entries) return say($("#faq-alert"), t("assistant.check"));
    return this.#guard(async () => {
      this.#keep(await api("PUT", this.#path(), { body: { on: this.kept.on, entries } }));
      this.typed = false;
      say($("#faq-saved"), t("assistant.saved"));
    });
  }

  #keep(faq) {
    this.kept = faq;
    this.switch.checked = faq.on;
    this.editor.replace(faq.entries);
  }

  #touched() {
    this.typed = true;
    say($("#faq-alert"));
    say($("#faq-saved"));
  }

  #path() {
    return `/stores/${encodeURIComponent(this.now.store())}/faq`;
  }

  /** One thing at a time: neither the switch nor the form may overtake what is under way. */
  async #guard(action) {
    const controls = [this.switch, $("fieldset", this.form)];
    const focused = document.activeElement;
    for (const control of controls) control.disabled = true;
    say($("#faq-alert"));
    say($("#faq-saved"));
    try {
      await action();
    } catch (error) {
      say($("#faq-alert"), explain(error));
    } finally {
      for (const control of controls) control.disabled = !this.kept;
      if (document.activeElement === document.body) focused.focus(); // a disabled control lost it
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
