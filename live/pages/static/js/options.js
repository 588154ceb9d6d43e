/**
 * Choosing a SKU: one option of each name. What is not to be had with the rest of the choice
 * cannot be chosen; nothing is chosen beforehand unless there is no choice.
 */
import { $, h, productPicture, sheet } from "./dom.js";
import { stockText } from "./products.js";
import { money, t } from "./text.js";

/** @typedef {import("./shelf.js").Product} Product @typedef {import("./shelf.js").Sku} Sku */

export class OptionSheet {
  constructor() {
    this.dialog = sheet($("#options-sheet"));
    this.form = $("form", this.dialog);
    this.groups = $("[data-groups]", this.dialog);
    this.button = $("[data-buy]", this.dialog);
    /** @type {Product|null} */
    this.product = null;
    this.form.addEventListener("change", () => this.#show());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#end(this.#chosen());
    });
    this.dialog.addEventListener("close", () => this.#end(null));
  }

  /** @param {Product} product @returns {Promise<Sku|null>} the one to buy; null when the visitor leaves it */
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

  /** Follow the stock while the sheet is open. @param {import("./shelf.js").Shelf} shelf */
  follow(shelf) {
    const now = shelf.get(this.product?.id ?? null);
    if (!now) return;
    this.product = now;
    this.#show();
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
      // what was chosen stays changeable, even when the last one of it has just gone
      input.disabled = !this.product.skus.some(fits) && !input.checked;
    }
    const sku = this.#chosen();
    $("[data-price]", this.dialog).textContent = money((sku ?? this.product).price_minor, this.product.currency);
    $("[data-stock]", this.dialog).textContent = sku ? stockText(sku) : t("options.choose");
    this.button.disabled = !sku || sku.free === 0;
  }
}

function group(name, place, product) {
  const options = [...new Set(product.skus.map((sku) => sku.options[place]))];
  return h("fieldset", { class: "chips" }, h("legend", {}, name), ...options.map((option) => h("label", { class: "chip" },
    h("input", { type: "radio", name: `option${place}`, value: option, "data-place": place, "data-test": "option", checked: options.length === 1 }),
    h("span", {}, option))));
}
