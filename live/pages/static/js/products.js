/**
 * How a product looks: the pinned card and the rows of a list. Elements are made once per product
 * and then only updated, so that focus, screen readers and a finger on its way keep their place.
 */
import { DealLine } from "./deal_line.js";
import { h, icon, productPicture, say } from "./dom.js";
import { availability } from "./shelf.js";
import { fullCount, money, t } from "./text.js";
import { WaitLine } from "./waits.js";

const BUY_TEXT = { open: "product.buy", busy: "product.buy", sold_out: "product.sold_out" };

/** One product on the page, with its true stock and a button to buy it. */
export class ProductView {
  /**
   * @param {import("./shelf.js").Product} product
   * @param {{buy: (product: import("./shelf.js").Product) => void, tag?: string, hooks?: boolean, codes?: () => boolean, waits?: import("./waits.js").Waits, foot?: {element: HTMLElement}}} options
   *   `codes`: whether codes said in the chat buy; `hooks` marks the parts for tests, for the one pinned card; `foot` stands below the rest
   */
  constructor(product, { buy, tag = "li", hooks = false, codes = () => false, waits, foot }) {
    const hook = (name) => (hooks ? { "data-test": name } : { "data-test": `row-${name}` });
    this.picture = h("span", { class: "thumb" });
    this.title = h("p", { class: "product-title" });
    this.price = h("span", { class: "price", ...hook("price") });
    this.was = h("s", { class: "was", ...hook("was"), hidden: true });
    this.deal = new DealLine();
    this.code = h("span", { class: "code", ...hook("code"), hidden: true });
    this.stock = h("span", { class: "stock", ...hook("stock") });
    this.button = h("button", { class: "primary buy", type: "button", ...hook("buy"), onclick: () => buy(this.product) });
    this.line = waits ? new WaitLine(waits, () => this.product) : null;
    this.mine = false;
    this.codes = codes;
    this.element = h(tag, { class: "row product", "data-product": product.id },
      this.picture,
      h("div", { class: "row-main" }, this.title, h("p", { class: "product-facts" }, this.price, this.was, this.stock), this.deal.element, this.code, this.line?.element),
      this.button, foot?.element);
    this.foot = foot;
    this.update(product);
  }

  /** @param {import("./shelf.js").Product} product */
  update(product) {
    const before = this.product;
    this.product = product;
    if (!before || before.picture !== product.picture) this.picture.replaceChildren(productPicture(product));
    this.title.textContent = product.title;
    this.price.textContent = priceText(product);
    this.price.classList.toggle("reduced", Boolean(product.was_minor));
    this.was.hidden = !product.was_minor;
    this.was.textContent = product.was_minor ? t("deal.was", { price: money(product.was_minor, product.currency) }) : "";
    say(this.code, this.codes() ? codeText(product) : "");
    this.#updateStock();
    if (before && before.free !== product.free) flash(this.stock);
  }

  /** @param {number} now_ms the server's time, for the deal's countdown */
  tick(now_ms) {
    this.deal.show(this.product, this.product.deal ?? null, now_ms);
  }

  /** Whether this visitor holds one: the button then leads back to paying. @param {boolean} mine */
  setMine(mine) {
    this.mine = mine;
    this.#updateStock();
  }

  #updateStock() {
    const { free, held, title } = this.product;
    const state = availability(this.product);
    this.element.dataset.state = state;
    this.stock.dataset.free = String(free);
    this.stock.dataset.held = String(held);
    this.stock.textContent = stockText(this.product);
    this.button.disabled = (state !== "open" || Boolean(this.product.shut)) && !this.mine;
    this.button.textContent = t(this.mine ? "product.pay_mine" : BUY_TEXT[state]);
    this.button.setAttribute("aria-label", `${this.button.textContent}: ${title}`);
    this.line?.show(this.product, this.mine);
  }
}

/** @param {import("./shelf.js").Product} product @returns {string} what it costs, or costs at least */
export function priceText(product) {
  const price = money(product.price_minor, product.currency);
  return product.skus.some((sku) => sku.price_minor !== product.price_minor) ? t("product.price_from", { price }) : price;
}

/** How to buy it by saying its code; of what is sold out nothing is said. */
function codeText({ skus }) {
  const coded = skus.filter((sku) => sku.code && sku.free > 0);
  if (coded.length === 0) return "";
  return skus.length === 1 ? t("code.buy_by", { code: coded[0].code }) : t("code.by_option");
}

/** @param {import("./shelf.js").Product|import("./shelf.js").Sku} product @returns {string} how many are left, in words */
export function stockText(product) {
  const state = availability(product);
  if (state === "busy") return t("product.busy");
  if (state === "sold_out") return t("product.sold_out");
  return t("product.left", { count: fullCount(product.free) });
}

/** A list of products that follows a shelf. */
export class ProductRows {
  /** @param {HTMLElement} list @param {(product: any) => {element: HTMLElement, update: (product: any) => void}} make */
  constructor(list, make) {
    this.list = list;
    this.make = make;
    this.views = new Map();
  }

  /** @param {import("./shelf.js").Product[]} products */
  show(products) {
    const wanted = new Set(products.map((product) => product.id));
    for (const [id, view] of this.views) {
      if (wanted.has(id)) continue;
      view.element.remove();
      this.views.delete(id);
    }
    for (const product of products) {
      const view = this.views.get(product.id);
      if (view) view.update(product);
      else {
        const made = this.make(product);
        this.views.set(product.id, made);
        this.list.append(made.element);
      }
    }
  }
}

/** @param {string} name @param {string} label @param {Record<string, any>} attributes @returns {HTMLButtonElement} */
export function iconButton(name, label, attributes) {
  return h("button", { class: "round", type: "button", "aria-label": label, title: label, ...attributes }, icon(name));
}

/** Let a change be seen for a moment. @param {HTMLElement} element */
export function flash(element) {
  element.classList.remove("flash");
  requestAnimationFrame(() => element.classList.add("flash"));
}
