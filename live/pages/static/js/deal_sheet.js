/**
 * A product's deal on the console: make one in a few taps, start it, end it. What it is now is told
 * by the room; the sheet only asks.
 */
import { api, explain, freshKey } from "./api.js";
import { reduced } from "./deals.js";
import { $, announce, h, say, sheet } from "./dom.js";
import { money, t } from "./text.js";

const FLASH_ONLY = ["units", "length_s", "begin", "shuts"];

export class DealSheet {
  /**
   * @param {{show: () => Promise<any>, of: (product: string) => import("./deals.js").Deal|null}} options
   *   the chosen show, null where there is none; the product's deal
   */
  constructor({ show, of }) {
    this.show = show;
    this.of = of;
    this.sheet = sheet($("#deal-sheet"));
    this.alert = $("[data-alert]", this.sheet);
    this.form = $("#deal-form");
    this.key = freshKey();
    this.form.addEventListener("submit", (event) => this.#make(event));
    this.form.addEventListener("change", () => this.update());
    this.form.addEventListener("input", () => this.update());
    $("#deal-start").addEventListener("click", () => this.#act(() => this.#post("start", {})));
    $("#deal-countdown").addEventListener("click", () => this.#act(() => this.#post("start", { countdown_s: 10 })));
    $("#deal-end").addEventListener("click", () => this.#act(() => this.#post(this.of(this.product.id).state === "ended" ? "end?opens=true" : "end")));
  }

  /** @param {any} product */
  open(product) {
    this.product = product;
    this.key = freshKey();
    say(this.alert);
    $("#deal-product").textContent = product.title;
    $("#deal-skus").hidden = product.skus.length === 1;
    $("[data-skus]", this.form).replaceChildren(...(product.skus.length > 1 ? product.skus.map(choice) : []));
    this.update();
    this.sheet.showModal();
  }

  /** The deal, or the time, moved. */
  update() {
    if (!this.product) return;
    const deal = this.of(this.product.id);
    this.form.hidden = Boolean(deal);
    $("#deal-now").hidden = !deal;
    $("#deal-state").textContent = deal ? t(`deal.is_${deal.state}`) : "";
    $("#deal-start").hidden = $("#deal-countdown").hidden = deal?.state !== "announced";
    $("#deal-end").textContent = t(`deal.end_${deal?.state ?? "running"}`);
    const { kind, ...terms } = this.#fields();
    for (const name of FLASH_ONLY) $(`[data-only=${name}]`, this.form).hidden = kind !== "flash";
    const { currency, skus } = this.product;
    const chosen = this.#skus();
    const meant = chosen.length ? skus.filter((sku) => chosen.includes(sku.id)) : skus;
    const price_minor = Math.min(...meant.map((sku) => sku.price_minor));
    const now_minor = reduced(priceOf(terms), price_minor);
    $("#deal-price").textContent = t("deal.from_to", { was: money(price_minor, currency), now: money(now_minor, currency) });
  }

  #fields() {
    return Object.fromEntries(new FormData(this.form));
  }

  /** The SKUs it is for; none: all of them. */
  #skus() {
    return new FormData(this.form).getAll("skus");
  }

  async #make(event) {
    event.preventDefault();
    const { kind, units, limit_per_buyer, length_s, begin, shuts, ...terms } = this.#fields();
    const flash = kind === "flash" && {
      units: Number(units),
      length_s: Number(length_s),
      starts_in_s: begin === "later" ? null : Number(begin),
      shuts: shuts === "on",
    };
    const body = {
      product: this.product.id,
      kind,
      ...priceOf(terms),
      skus: this.#skus(),
      limit_per_buyer: limit_per_buyer ? Number(limit_per_buyer) : null,
      ...flash,
    };
    await this.#act(async () => {
      const show = await this.show();
      if (!show) return this.sheet.close();
      await api("POST", `/shows/${encodeURIComponent(show.id)}/deals`, { body, key: this.key });
      announce(t("deal.made"));
      return this.sheet.close();
    });
    this.key = freshKey();
  }

  #post(what, body) {
    return api("POST", `/deals/${this.of(this.product.id).id}/${what}`, { body });
  }

  async #act(action) {
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, explain(error));
    }
  }
}

function choice({ id, options }) {
  return h("label", {}, h("input", { type: "checkbox", name: "skus", value: id, "data-test": "deal-sku" }), h("span", {}, options.join(" / ")));
}

/** A price of its own goes before a percentage. */
function priceOf({ price, percent_off }) {
  return price ? { price_minor: Number(price), percent_off: null } : { price_minor: null, percent_off: Number(percent_off) };
}
