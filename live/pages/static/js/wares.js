/**
 * The seller's products: what is left of each, more and fewer, which one is pinned, and new ones.
 */
import { api, explain, freshKey } from "./api.js";
import { DealLine } from "./deal_line.js";
import { $, fieldsOf, h, icon, productPicture, say } from "./dom.js";
import { OptionEditor } from "./option_editor.js";
import { ProductSheet } from "./product_sheet.js";
import { flash, priceText, ProductRows } from "./products.js";
import { Shelf } from "./shelf.js";
import { fullCount, lineName, t } from "./text.js";

const PICTURE_MAX_BYTES = 8 * 1024 * 1024;

/** One SKU of a product on the console: what is left of it, and one less or one more. */
class SkuLine {
  constructor(product, { id, options }, change) {
    const title = lineName({ title: product.title, options });
    const stepper = (by, sign, name) => h("button", {
      class: "step-button", type: "button", "data-test": `stock-${name}`, "data-product": product.id, "data-sku": id,
      "aria-label": t(`product.${name}`, { title }), onclick: change(id, by),
    }, sign);
    this.counts = h("span", { class: "stock", hidden: options.length === 0 });
    this.code = h("span", { class: "code", "data-test": "sku-code", hidden: true });
    this.element = h("li", { class: "ware-sku" },
      h("span", { class: "ware-words" }, options.length ? h("span", { class: "ware-options" }, options.join(" / ")) : null, this.counts, this.code),
      h("span", { class: "stepper" }, stepper(-1, "−", "less"), stepper(1, "+", "more")));
  }

  update(sku) {
    this.counts.textContent = countsText(sku);
    this.code.hidden = !sku.code;
    this.code.textContent = sku.code ? t("code.show", { code: sku.code }) : "";
  }
}

function countsText({ free, held, sold }) {
  return t("product.counts", { free: fullCount(free), held: fullCount(held), sold: fullCount(sold) });
}

export class Wares {
  /** @param {{pin: (product: string|null) => Promise<void>, added: (product: any) => Promise<void>, deals: import("./deals.js").Deals, openDeal: (product: any) => void}} options */
  constructor({ pin, added, deals, openDeal }) {
    this.sheet = new ProductSheet({ changed: (product) => this.#take(product) });
    this.shelf = new Shelf();
    this.pinned = null;
    this.pin = pin;
    this.added = added;
    this.deals = deals;
    this.openDeal = openDeal;
    this.rows = new ProductRows($("#products"), (product) => this.#row(product));
    this.form = $("#product-form");
    this.form.addEventListener("submit", (event) => this.#add(event));
    const plain = this.form.querySelectorAll("[data-plain]");
    this.options = new OptionEditor({
      changed: (has) => { for (const field of plain) field.hidden = has; },
      price: () => this.form.elements.price.value,
    });
    this.form.elements.price.addEventListener("input", () => this.options.show());
  }

  /** @param {string} store */
  async load(store) {
    this.store = store;
    const { products } = await api("GET", `/stores/${encodeURIComponent(store)}/products`);
    this.shelf.replace(products);
    $("#product-adder").open = products.length === 0;
    this.show();
  }

  /** Learn how many were sold, which the room does not tell. */
  async refresh() {
    const { products } = await api("GET", `/stores/${encodeURIComponent(this.store)}/products`);
    for (const product of products) this.shelf.put(product);
    this.show();
  }

  /** @param {any} event of the room */
  apply(event) {
    if (this.shelf.apply(event)) this.show();
  }

  /** @param {string|null} product */
  setPinned(product) {
    this.pinned = product;
    this.show();
  }

  show() {
    this.rows.show(this.shelf.all());
    this.tick();
  }

  /** The deals' clocks moved on. */
  tick() {
    for (const row of this.rows.views.values()) row.tick(this.deals.now());
  }

  #row(product) {
    const picture = h("span", { class: "thumb" });
    const title = h("p", { class: "product-title" });
    const price = h("span", { class: "price" });
    const counts = h("span", { class: "stock", "data-test": "row-stock" });
    const alert = h("p", { class: "alert", role: "alert", hidden: true });
    const guard = (action) => async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      say(alert);
      try {
        await action();
      } catch (error) {
        say(alert, explain(error));
      } finally {
        button.disabled = false;
      }
    };
    const change = (sku, by) => guard(async () => {
      const body = { reason: by > 0 ? "restock" : "correction", changes: [{ sku, change: by }] };
      this.#take(await api("POST", `/products/${product.id}/stock`, { body, key: freshKey() }));
    });
    const piles = h("ul", { class: "ware-skus" });
    const lines = new Map();
    const pin = h("button", { class: "pin", type: "button", "data-test": "pin", "data-product": product.id, onclick: guard(() => this.pin(this.pinned === product.id ? null : product.id)) });
    const dealLine = new DealLine();
    const deal = h("button", { class: "pin", type: "button", "data-test": "deal-open", "data-product": product.id, onclick: () => this.openDeal(this.shelf.get(product.id)) }, t("deal.open"));
    const edit = h("button", { class: "pin", type: "button", "data-test": "product-edit", "data-product": product.id, onclick: () => this.sheet.open(this.shelf.get(product.id)) }, t("product.edit"));
    const element = h("li", { class: "row product ware", "data-product": product.id },
      picture, h("div", { class: "row-main" }, title, h("p", { class: "product-facts" }, price, counts), dealLine.element),
      piles, h("div", { class: "ware-actions" }, edit, deal, pin), alert);
    let shown = null;
    const update = (now) => {
      if (shown?.picture !== now.picture || !shown) picture.replaceChildren(productPicture(now));
      title.textContent = now.title;
      price.textContent = priceText(now);
      counts.textContent = countsText(now);
      counts.dataset.free = String(now.free);
      if (shown && (shown.free !== now.free || shown.held !== now.held)) flash(counts);
      const isPinned = this.pinned === now.id;
      pin.setAttribute("aria-pressed", String(isPinned));
      pin.replaceChildren(icon("pin"), t(isPinned ? "product.pinned" : "product.pin"));
      pin.setAttribute("aria-label", `${t(isPinned ? "product.unpin" : "product.pin")}: ${now.title}`);
      edit.setAttribute("aria-label", `${t("product.edit")}: ${now.title}`);
      deal.setAttribute("aria-label", `${t("deal.open")}: ${now.title}`);
      for (const sku of now.skus) {
        if (!lines.has(sku.id)) {
          lines.set(sku.id, new SkuLine(now, sku, change));
          piles.append(lines.get(sku.id).element);
        }
        lines.get(sku.id).update(sku);
      }
      element.classList.toggle("is-pinned", isPinned);
      shown = now;
    };
    const tick = (now_ms) => dealLine.show(shown, this.deals.of(product.id), now_ms);
    update(product);
    return { element, update, tick };
  }

  #take(product) {
    this.shelf.put(product);
    this.show();
  }

  async #add(event) {
    event.preventDefault();
    const alert = $("[data-alert]", this.form);
    say(alert);
    const fields = fieldsOf(this.form, (text) => say(alert, text), (field) => t(`sell.check_${field.name}`));
    if (!fields) return;
    const options = this.options.read((text) => say(alert, text));
    if (options === undefined) return;
    const picture = this.form.elements.picture.files[0] ?? null;
    if (picture && picture.size > PICTURE_MAX_BYTES) return say(alert, t("sell.check_picture"));
    const button = $("[data-test=add-product]", this.form);
    button.disabled = true;
    try {
      await this.#create(fields, options, picture);
      this.form.reset();
      this.options.clear();
    } catch (error) {
      say(alert, explain(error));
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  async #create({ title, price, stock, code }, options, picture) {
    const units = options ?? { stock: Number(stock), code: code || null };
    const body = { title, description: "", price_minor: Number(price), ...units };
    const path = `/stores/${encodeURIComponent(this.store)}/products`;
    const product = await api("POST", path, { body, key: freshKey() });
    this.#take(product);
    await this.added(product);
    if (!picture) return;
    await api("PUT", `/products/${product.id}/picture`, { raw: picture });
    this.#take(await api("GET", `/products/${product.id}`));
  }
}
