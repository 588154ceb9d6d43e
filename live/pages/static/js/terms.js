/**
 * The seller's terms: what delivery costs and takes, and what buyers earn.
 */
import { api, explain } from "./api.js";
import { $, fieldsOf, say } from "./dom.js";
import { t } from "./text.js";

const DELIVERY = ["fee_minor", "free_from_minor", "remote_fee_minor", "days_least", "days_most"];
/** What the form proposes before the seller has said anything; nothing of it holds until saved. */
const PROPOSED = { fee_minor: 3000, free_from_minor: null, remote_fee_minor: 3000, days_least: 1, days_most: 3 };

export class Terms {
  constructor() {
    this.form = $("#terms-form");
    this.form.addEventListener("submit", (event) => this.#save(event));
  }

  /** @param {string} store */
  async load(store) {
    this.path = `/stores/${encodeURIComponent(store)}`;
    this.#show(await api("GET", this.path));
  }

  #show({ delivery, points_percent: percent, points_days: days }) {
    const terms = delivery ?? PROPOSED;
    for (const name of DELIVERY) this.form.elements[name].value = terms[name] ?? "";
    this.form.elements.points_percent.value = percent;
    this.form.elements.points_days.value = days ?? "";
  }

  async #save(event) {
    event.preventDefault();
    const alert = $("[data-alert]", this.form);
    const saved = $("[data-saved]", this.form);
    say(alert);
    say(saved);
    const fields = fieldsOf(this.form, (text) => say(alert, text), () => t("problem.invalid"));
    if (!fields) return;
    const number = (name) => (fields[name] === "" ? null : Number(fields[name]));
    const delivery = Object.fromEntries(DELIVERY.map((name) => [name, number(name)]));
    try {
      const points = { points_percent: number("points_percent"), points_days: number("points_days") };
      this.#show(await api("PATCH", this.path, { body: { delivery, ...points } }));
      say(saved, t("terms.saved"));
    } catch (error) {
      say(alert, explain(error));
    }
  }
}
