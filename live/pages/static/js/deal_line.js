/**
 * What a product's deal says for itself: a line below its price, with the true time and units left.
 */
import { left } from "./deals.js";
import { h } from "./dom.js";
import { fullCount, minutesLeft, money, t } from "./text.js";

export class DealLine {
  constructor() {
    this.text = h("span", {});
    this.clock = h("span", { class: "deal-clock", role: "timer", "data-test": "deal-clock" });
    this.left = h("span", { class: "deal-left", "data-test": "deal-left" });
    this.element = h("p", { class: "deal-line", "data-test": "deal", hidden: true }, this.text, this.clock, this.left);
  }

  /** @param {any} product @param {import("./deals.js").Deal|null} deal as it is now @param {number} now_ms the server's time */
  show(product, deal, now_ms) {
    this.element.hidden = !deal;
    if (!deal) return;
    const gone = deal.state === "running" && left(deal) === 0;
    this.element.dataset.state = gone ? "gone" : deal.state;
    this.text.textContent = t(`deal.${deal.kind}_${this.element.dataset.state}`, { off: off(deal, product.currency) });
    const until_ms = { announced: deal.starts_at_ms, running: deal.ends_at_ms }[deal.state] ?? null;
    this.clock.hidden = until_ms === null;
    this.clock.textContent = until_ms === null ? "" : minutesLeft(until_ms - now_ms);
    this.left.hidden = deal.units === null || gone || deal.state === "ended";
    this.left.textContent = this.left.hidden ? "" : t("deal.left", { count: fullCount(Math.min(left(deal), product.free)) });
  }
}

function off(deal, currency) {
  return deal.percent_off === null ? money(deal.price_minor, currency) : `−${deal.percent_off}%`;
}
