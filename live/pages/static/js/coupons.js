/**
 * The seller's coupons: what each takes off, how often it was used, new ones, and their end.
 */
import { api, explain } from "./api.js";
import { $, fieldsOf, h, say } from "./dom.js";
import { fullCount, moment, money, t } from "./text.js";

export class Coupons {
  /** @param {{show: () => string|null}} options the chosen show, for coupons that count in it alone */
  constructor({ show }) {
    this.show = show;
    this.form = $("#coupon-form");
    this.alert = $("[data-alert]", this.form);
    this.kind = $("#coupon-kind");
    this.form.addEventListener("submit", (event) => this.#make(event));
    this.kind.addEventListener("change", () => this.#fit());
    $("#coupons").addEventListener("toggle", () => { if ($("#coupons").open) this.#refresh(); });
  }

  /** @param {string} store */
  async load(store) {
    this.path = `/stores/${encodeURIComponent(store)}/coupons`;
    this.#draw((await api("GET", this.path)).coupons);
  }

  async #refresh() {
    try {
      this.#draw((await api("GET", this.path)).coupons);
    } catch (error) {
      say(this.alert, explain(error));
    }
  }

  #fit() {
    const percent = this.kind.value === "percent";
    $("#coupon-cap").hidden = !percent;
    this.form.elements.worth.max = percent ? "100" : "1000000000";
  }

  #draw(coupons) {
    $("#coupons-none").hidden = coupons.length > 0;
    $("#coupon-rows").replaceChildren(...coupons.map((coupon) => this.#row(coupon)));
  }

  #row({ id, terms, used, ended }) {
    const won = (minor) => money(minor, "KRW");
    const uses = terms.uses_limit ? t("coupons.used_of", { used: fullCount(used), limit: fullCount(terms.uses_limit) }) : t("coupons.used", { used: fullCount(used) });
    const off = terms.percent ? `${terms.percent}%` : won(terms.amount_minor);
    const facts = [`−${off}`, terms.cap_minor ? `≤ ${won(terms.cap_minor)}` : null, terms.minimum_minor ? `≥ ${won(terms.minimum_minor)}` : null, terms.ends_at_ms ? `~ ${moment(terms.ends_at_ms)}` : null, uses];
    return h("li", { class: "row", "data-coupon": id, "data-test": "coupon-row" },
      h("span", { class: "row-main" }, h("strong", {}, terms.code), h("span", { class: "soft" }, facts.filter(Boolean).join(" · "))),
      ended ? h("span", { class: "badge" }, t("coupons.ended"))
        : h("button", { class: "plain small", type: "button", "data-test": "coupon-end", onclick: () => this.#act(() => api("POST", `${this.path}/${id}/end`)) }, t("coupons.end")));
  }

  async #make(event) {
    event.preventDefault();
    say(this.alert);
    const fields = fieldsOf(this.form, (text) => say(this.alert, text), () => t("coupons.check"));
    if (!fields) return;
    const number = (text) => (text ? Number(text) : null);
    const percent = this.kind.value === "percent";
    const body = {
      code: fields.code,
      [this.kind.value]: Number(fields.worth),
      cap_minor: percent ? number(fields.cap_minor) : null,
      minimum_minor: Number(fields.minimum_minor) || 0,
      uses_limit: number(fields.uses_limit),
      ends_at_ms: fields.ends ? new Date(fields.ends).getTime() : null,
      show: $("#coupon-show").checked ? this.show() : null,
    };
    if (await this.#act(() => api("POST", this.path, { body }))) {
      this.form.reset();
      this.#fit();
    }
  }

  async #act(action) {
    say(this.alert);
    try {
      await action();
      await this.#refresh();
      return true;
    } catch (error) {
      say(this.alert, explain(error));
      return false;
    }
  }
}
