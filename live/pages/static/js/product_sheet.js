/**
 * A product on the console, to be changed: its words, what each SKU costs and is called in the chat,
 * and new combinations of its options. Only what was changed is sent; units have their own way.
 */
import { api, explain } from "./api.js";
import { $, h, say, sheet } from "./dom.js";
import { FIELDS } from "./option_editor.js";
import { t } from "./text.js";

const OPTION = { maxlength: 40, autocomplete: "off", required: true };

export class ProductSheet {
  /** @param {{changed: (product: any) => void}} options told of the product as it is afterwards */
  constructor({ changed }) {
    this.changed = changed;
    this.dialog = sheet($("#product-sheet"));
    this.form = $("form", this.dialog);
    this.alert = $("[data-alert]", this.form);
    this.known = $("[data-skus]", this.form);
    this.fresh = $("[data-new-skus]", this.form);
    this.form.addEventListener("submit", (event) => this.#save(event));
    $("[data-add]", this.form).addEventListener("click", () => this.#add());
  }

  /** @param {any} product */
  open(product) {
    this.product = product;
    say(this.alert);
    const { title, limit } = this.form.elements;
    title.value = product.title;
    limit.value = product.limit_per_buyer ?? "";
    this.known.replaceChildren(...product.skus.map((sku) => knownRow(product, sku)));
    this.fresh.replaceChildren();
    $("[data-options]", this.form).hidden = product.option_names.length === 0;
    this.dialog.showModal();
  }

  #add() {
    const row = newRow(this.product);
    this.fresh.append(row);
    $("input", row).focus();
  }

  async #save(event) {
    event.preventDefault();
    say(this.alert);
    const inputs = [...this.form.querySelectorAll("input")];
    for (const input of inputs) input.removeAttribute("aria-invalid");
    const wrong = inputs.find((input) => !input.checkValidity() || (input.required && !input.value.trim()));
    if (wrong) {
      wrong.setAttribute("aria-invalid", "true");
      wrong.focus();
      return say(this.alert, t(`sell.check_${wrong.dataset.field}`));
    }
    const button = $("[data-save]", this.form);
    button.disabled = true;
    try {
      const body = this.#changes();
      if (Object.keys(body).length) this.changed(await api("PATCH", `/products/${this.product.id}`, { body }));
      this.dialog.close();
    } catch (error) {
      say(this.alert, explain(error));
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  #changes() {
    const { title, limit } = this.form.elements;
    const body = {};
    if (title.value.trim() !== this.product.title) body.title = title.value.trim();
    const most = limit.value ? Number(limit.value) : null;
    if (most !== this.product.limit_per_buyer) body.limit_per_buyer = most;
    const skus = [...this.known.children].map((row, place) => changed(row, this.product.skus[place])).filter(Boolean);
    if (skus.length) body.skus = skus;
    const added = [...this.fresh.children].map(addition);
    if (added.length) body.new_skus = added;
    return body;
  }
}

function field(name, attributes, label) {
  return h("label", { class: "field" }, h("span", {}, label), h("input", { ...attributes, "data-field": name, "data-test": `product-${name}-edit` }));
}

function priceField(attributes) {
  return field("price", { ...FIELDS.price, ...attributes }, t("options.price"));
}

function codeField(attributes) {
  return field("code", { ...FIELDS.code, ...attributes }, t("options.code"));
}

function knownRow({ option_names: names }, { options, price_minor: price, code }) {
  return h("li", { class: "stack", "data-test": "product-sku" },
    names.length ? h("strong", {}, options.join(" / ")) : null,
    h("div", { class: "pair" }, priceField({ value: price, required: true }), codeField({ value: code ?? "" })));
}

function newRow({ option_names: names, price_minor: usual }) {
  const row = h("li", { class: "stack", "data-test": "product-new-sku" },
    h("div", { class: "pair" }, ...names.map((name) => field("option", OPTION, name))),
    h("div", { class: "pair" }, priceField({ placeholder: usual }), field("stock", FIELDS.stock, t("options.stock"))),
    h("div", { class: "pair" }, codeField({}), h("button", { class: "plain", type: "button", onclick: () => row.remove() }, t("product.drop_option"))));
  return row;
}

const valueOf = (row, name) => $(`[data-field=${name}]`, row).value.trim();

function changed(row, { id, price_minor: price, code }) {
  const change = {};
  if (Number(valueOf(row, "price")) !== price) change.price_minor = Number(valueOf(row, "price"));
  const said = valueOf(row, "code") || null;
  if (said !== code) change.code = said;
  return Object.keys(change).length ? { id, ...change } : null;
}

function addition(row) {
  const price = valueOf(row, "price");
  return {
    options: [...row.querySelectorAll("[data-field=option]")].map((input) => input.value.trim()),
    price_minor: price ? Number(price) : null,
    stock: Number(valueOf(row, "stock")),
    code: valueOf(row, "code") || null,
  };
}
