/**
 * Which show the console is about: choose one, or make one. A show without a line-up carries the
 * whole store, so only a show that has one needs to hear of new products.
 */
import { api, explain } from "./api.js";
import { $, fieldsOf, h, say } from "./dom.js";
import { moment, t } from "./text.js";

export class ShowChoice {
  /** @param {{chosen: (show: any|null) => void}} options */
  constructor({ chosen }) {
    this.chosen = chosen;
    /** @type {any[]} */
    this.shows = [];
    this.show = null;
    this.select = $("#show-select");
    this.form = $("#show-form");
    this.select.addEventListener("change", () => this.#choose(this.shows.find((show) => show.id === this.select.value) ?? null));
    this.form.addEventListener("submit", (event) => this.#create(event));
    $("#share").addEventListener("click", () => this.#share());
  }

  /** @param {string} store */
  async load(store) {
    this.store = store;
    const { shows } = await api("GET", "/shows");
    this.shows = shows.filter((show) => show.store === store && ["live", "scheduled"].includes(show.stage));
    this.#choose(this.shows.find((show) => show.stage === "live") ?? this.shows[0] ?? null);
  }

  /** What is now known of a show. @param {any} show */
  update(show) {
    this.shows = this.shows.map((one) => (one.id === show.id ? { ...one, ...show } : one));
    if (show.stage === "ended") this.shows = this.shows.filter((one) => one.id !== show.id);
    if (this.show?.id === show.id) this.#choose(show);
  }

  /** Let these products be in the show. @param {string[]} products */
  async addToLineup(products) {
    if (!this.show?.lineup.length || this.show.stage === "ended") return;
    const missing = products.filter((product) => !this.show.lineup.includes(product));
    if (missing.length === 0) return;
    const lineup = [...this.show.lineup, ...missing];
    await api("PUT", `/shows/${this.show.id}/lineup`, { body: { products: lineup } });
    this.show = { ...this.show, lineup };
  }

  #choose(show) {
    this.show = show;
    const option = (one) => h("option", { value: one.id }, `${one.stage === "live" ? "● " : ""}${one.title}${one.starts_at_ms ? ` · ${moment(one.starts_at_ms)}` : ""}`);
    this.select.replaceChildren(...this.shows.map(option));
    if (show) this.select.value = show.id;
    $("#show-choice").hidden = this.shows.length === 0;
    $("#watch-link-place").hidden = !show;
    if (show?.id !== this.drawn || show?.stage === "ended") $("#show-adder").open = !show || show.stage === "ended";
    this.drawn = show?.id;
    if (show) $("#watch-link").href = `/shows/${encodeURIComponent(show.id)}/watch`;
    $("#watch-link").textContent = show?.stage === "ended" ? t("sell.show_ended", { title: show.title }) : t("sell.watch_page");
    this.chosen(show);
  }

  async #create(event) {
    event.preventDefault();
    const alert = $("[data-alert]", this.form);
    say(alert);
    const fields = fieldsOf(this.form, (text) => say(alert, text), () => t("sell.check_title"));
    if (!fields) return;
    const button = $("[data-test=create-show]", this.form);
    button.disabled = true;
    try {
      const starts = fields.starts ? { starts_at_ms: new Date(fields.starts).getTime() } : {};
      const show = await api("POST", "/shows", { body: { store: this.store, title: fields.title, ...starts } });
      this.shows.push(show);
      this.#choose(show);
      this.form.reset();
    } catch (error) {
      say(alert, explain(error));
    } finally {
      button.disabled = false;
    }
  }

  async #share() {
    const url = $("#watch-link").href;
    try {
      if (navigator.share) await navigator.share({ title: this.show.title, url });
      else await navigator.clipboard.writeText(url);
      $("#share").textContent = t("sell.shared");
    } catch {
      $("#share").textContent = url; // neither sharing nor the clipboard is allowed: show it
    }
  }
}
