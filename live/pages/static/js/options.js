/**
 * Choosing a SKU: one option of each name. What is not to be had with the rest of the choice looks so,
 * and what is sold out can be waited for; nothing is chosen beforehand unless there is no choice.
 */
import { $, h, productPicture, say, sheet } from "./dom.js";
import { priceText, stockText } from "./products.js";
import { fullCount, money, t } from "./text.js";

/** @typedef {import("./shelf.js").Product} Product @typedef {import("./shelf.js").Sku} Sku */

export class OptionSheet {
  /** @param {{waits: () => import("./waits.js").Waits, codes?: () => boolean}} options the visitor's waits; whether codes said in the chat buy */
  constructor({ waits, codes = () => false }) {
    Object.assign(this, { waits, codes });
    this.dialog = sheet($("#options-sheet"));
    this.form = $("form", this.dialog);
    this.groups = $("[data-groups]", this.dialog);
    this.button = $("[data-buy]", this.dialog);
    /** @type {Product|null} */
    this.product = null;
    this.form.addEventListener("change", () => this.#show());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#press();
    });
    this.dialog.addEventListener("close", () => this.#end(null));
  }

  /** @param {Product} product @returns {Promise<Sku|null>} the one to buy; null when the visitor leaves it, or waits for it */
  choose(product) {
    if (product.skus.length === 1) return Promise.resolve(product.skus[0]);
    this.product = product;
    this.groups.replaceChildren(...product.option_names.map((name, place) => group(name, place, product)));
    $("[data-name]", this.dialog).textContent = product.title;
    $("[data-picture]", this.dialog).replaceChildren(productPicture(product));
    this.#show();
    this.dialog.showModal();
    return new Promise((resolve) => { this.resolve = resolve; });
  }

  /** Follow the stock while the sheet is open. @param {(id: string) => Product|null} find */
  follow(find) {
    const now = this.product && find(this.product.id);
    if (!now) return;
    this.product = now;
    this.#show();
  }

  #press() {
    const sku = this.#chosen();
    if (sku.free > 0) return this.#end(sku);
    this.#end(null);
    return this.waits().join(sku.id);
  }

  #end(sku) {
    this.product = null;
    this.resolve?.(sku);
    this.resolve = null;
    if (this.dialog.open) this.dialog.close();
  }

  #choice() {
    return this.product.option_names.map((_, place) => new FormData(this.form).get(`option${place}`));
  }

  #chosen() {
    const choice = this.#choice();
    return this.product.skus.find((sku) => sku.options.every((option, place) => option === choice[place])) ?? null;
  }

  #show() {
    const choice = this.#choice();
    for (const input of this.groups.querySelectorAll("input")) {
      const place = Number(input.dataset.place);
      const fits = (sku) => sku.free > 0 && sku.options.every((option, other) => (other === place ? option === input.value : choice[other] === null || option === choice[other]));
      input.toggleAttribute("data-gone", !this.product.skus.some(fits));
    }
    const sku = this.#chosen();
    $("[data-price]", this.dialog).textContent = sku ? money(sku.price_minor, this.product.currency) : priceText(this.product);
    $("[data-stock]", this.dialog).textContent = sku ? stockText(sku) : t(choice.includes(null) ? "options.choose" : "options.none");
    say($("[data-code]", this.dialog), sku?.code && sku.free > 0 && this.codes() ? t("code.buy_by", { code: sku.code }) : "");
    this.#showButton(sku);
  }

  #showButton(sku) {
    const wait = sku && this.waits().of(sku.id);
    const shut = Boolean(sku?.shut);
    this.button.disabled = !sku || shut || Boolean(wait);
    if (wait) this.button.textContent = t("wait.place", { place: fullCount(wait.place) });
    else if (shut) this.button.textContent = t("product.shut");
    else this.button.textContent = t(sku && sku.free === 0 ? "wait.join" : "product.buy");
  }
}

function group(name, place, product) {
  const options = [...new Set(product.skus.map((sku) => sku.options[place]))];
  return h("fieldset", { class: "chips" }, h("legend", {}, name), ...options.map((option) => h("label", { class: "chip" },
    h("input", { type: "radio", name: `option${place}`, value: option, "data-place": place, "data-test": "option", checked: options.length === 1 }),
    h("span", {}, option))));
}
