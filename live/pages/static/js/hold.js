/**
 * From Buy to the checkout: take a hold, show how long it lasts by the server's clock and what an
 * order costs of all that is held of its product; what else is held in the store can be ordered with
 * it. A hold outlives its sheet: the Buy button of its product leads back to it until it ends.
 */
import { requireAccount } from "./account.js";
import { api, explain, freshKey, Problem } from "./api.js";
import { CheckoutForm } from "./checkout.js";
import { $, announce, h, productPicture, say, sheet } from "./dom.js";
import { OptionSheet } from "./options.js";
import { lineName, minutesLeft, money, t } from "./text.js";

const TICK_MS = 250;
const REFUSAL_SHOWN_MS = 12_000;
const WARN_AT_S = [60, 15];

export class Checkout {
  /**
   * @param {{show?: string|null, alert: HTMLElement, changed: () => void, product: (id: string) => any, waits: () => import("./waits.js").Waits, codes?: () => boolean, hold?: (lines: any[], key: string) => Promise<any>}} options
   *   where to put refusals, whom to tell that the set of own holds changed, a product as it is sold
   *   now, the visitor's waits, whether codes buy, and a shorter way to hold units than HTTP, which
   *   may answer null
   */
  constructor({ show = null, alert, changed, product, waits, codes, hold = async () => null }) {
    Object.assign(this, { show, changed, product });
    this.ask = hold;
    this.place = alert;
    /** @type {Map<string, any>} the visitor's live holds */
    this.holds = new Map();
    /** @type {any[]} those in the sheet, all of one product */
    this.shown = [];
    this.offset_ms = 0;
    this.busy = false;
    this.options = new OptionSheet({ waits, codes });
    this.dialog = sheet($("#hold-sheet"));
    this.form = new CheckoutForm(this.dialog);
    $("[data-release]", this.dialog).addEventListener("click", () => this.#guard(() => this.#release(this.shown)));
    $("[data-extend]", this.dialog).addEventListener("click", () => this.#guard(() => this.#extend()));
    $("[data-more]", this.dialog).addEventListener("click", () => this.#guard(() => this.#more()));
    this.dialog.addEventListener("close", () => clearInterval(this.timer));
  }

  /** Learn the holds the visitor already has. */
  async load() {
    try {
      const { holds, now_ms } = await api("GET", "/holds");
      this.#setClock(now_ms);
      this.holds = new Map(holds.map((hold) => [hold.id, hold]));
      this.changed();
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // a visitor without a session has none
    }
  }

  /** @param {string} product @returns {boolean} whether the visitor holds one now */
  has(product) {
    return this.#of(product).length > 0;
  }

  #of(product) {
    return [...this.holds.values()].filter((hold) => hold.product === product && (isOrdered(hold) || this.#left(hold) > 0));
  }

  /** Buy was pressed. @param {import("./shelf.js").Product} product */
  async buy(product) {
    if (this.busy) return;
    this.busy = true;
    say(this.place);
    try {
      if (!(await requireAccount(t("hold.sign_in")))) return;
      if (this.has(product.id) || (await this.#take(product))) await this.#open(product);
    } catch (error) {
      await this.#refused(error, product);
    } finally {
      this.busy = false;
    }
  }

  /** Buy what may be of another store than this page's, as one waits in many. @param {string} id */
  async buyById(id) {
    try {
      await this.buy(this.product(id) ?? (await api("GET", `/products/${encodeURIComponent(id)}`)));
    } catch (error) {
      this.#complain(explain(error));
    }
  }

  /** Pay for what is held already. @param {import("./shelf.js").Product} product */
  async pay(product) {
    await this.load();
    if (this.has(product.id)) await this.#open(product);
  }

  /** @returns {Promise<boolean>} whether one is held now */
  async #take(product) {
    const sku = await this.options.choose(product);
    if (!sku) return false;
    const lines = [{ sku: sku.id, price_minor: sku.price_minor }];
    const body = { lines, ...(this.show ? { show: this.show } : {}) };
    const key = freshKey();
    const { holds, now_ms } = (await this.ask(lines, key)) ?? (await api("POST", "/holds", { body, key }));
    this.#setClock(now_ms);
    for (const hold of holds) this.holds.set(hold.id, hold);
    this.changed();
    return true;
  }

  async #refused(error, product) {
    if (error instanceof Problem && error.code === "limit_reached") {
      await this.load();
      if (this.has(product.id)) return this.#open(product);
    }
    this.#complain(explain(error));
    return undefined;
  }

  /** A refusal is shown for a while; by then the stock on the card tells the rest. */
  #complain(text) {
    say(this.place, text);
    clearTimeout(this.complaint);
    this.complaint = setTimeout(() => say(this.place), REFUSAL_SHOWN_MS);
  }

  async #open(product) {
    const open = this.#of(product.id).filter((hold) => !isOrdered(hold));
    if (open.length === 0) {
      const order = await openOrderOf(product.id);
      return order ? location.assign(`/orders/${order.id}`) : this.load();
    }
    $("[data-picture]", this.dialog).replaceChildren(productPicture(product));
    $("[data-more]", this.dialog).textContent = t(product.skus.length > 1 ? "hold.more_options" : "hold.more");
    this.store = product.store;
    this.#draw(open);
    this.warned = new Set();
    this.#tick();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    if (!this.dialog.open) this.dialog.showModal();
    // Not waited for: who closes the sheet at once may buy something else.
    this.form.open(open, product.store).catch((error) => this.#complain(explain(error)));
    return undefined;
  }

  #draw(holds) {
    this.shown = holds;
    $("[data-lines]", this.dialog).replaceChildren(...holds.map((hold) => this.#line(hold)));
    $("[data-more]", this.dialog).hidden = !(this.product(holds[0].product)?.free > 0);
    $("[data-extend]", this.dialog).hidden = holds.every((hold) => hold.extended);
    this.#linkBasket();
  }

  #line(hold) {
    const name = lineName(hold);
    const remove = h("button", {
      class: "plain small", type: "button", "data-test": "hold-remove", "aria-label": t("basket.remove_named", { title: name }),
      onclick: () => this.#guard(() => this.#release([hold])),
    }, t("basket.remove"));
    return h("li", { class: "hold-line", "data-test": "hold-line" },
      h("span", {}, h("span", { class: "hold-name" }, name, hold.quantity > 1 ? h("span", { class: "soft" }, ` × ${hold.quantity}`) : null),
        h("span", { class: "price" }, money(hold.price_minor * hold.quantity, hold.currency))),
      this.shown.length > 1 ? remove : null);
  }

  /** What else is held, in whatever store, is a reason to look into this one's basket. */
  #linkBasket() {
    const others = [...this.holds.values()].filter((hold) => !isOrdered(hold) && !this.shown.includes(hold));
    const link = $("[data-basket]", this.dialog);
    link.hidden = others.length === 0;
    link.href = `/stores/${encodeURIComponent(this.store)}/basket`;
    link.textContent = t("basket.open");
  }

  #tick() {
    const alive = this.shown.filter((hold) => this.#left(hold) > 0);
    if (alive.length < this.shown.length) this.#forget(this.shown.filter((hold) => !alive.includes(hold)));
    const left_ms = Math.max(0, Math.min(...alive.map((hold) => this.#left(hold)), alive.length ? Infinity : 0));
    $("[data-countdown]", this.dialog).textContent = minutesLeft(left_ms);
    this.dialog.classList.toggle("urgent", left_ms < 30_000);
    const gone = alive.length === 0;
    $("[data-gone]", this.dialog).hidden = !gone;
    $("[data-promise]", this.dialog).hidden = gone;
    $("[data-going]", this.dialog).hidden = gone;
    for (const seconds of WARN_AT_S) {
      if (left_ms > seconds * 1000 || left_ms < (seconds - 5) * 1000 || this.warned.has(seconds)) continue;
      this.warned.add(seconds);
      announce(t("hold.seconds_left", { seconds }));
    }
    if (gone) clearInterval(this.timer);
  }

  /** Another unit, or another choice of options, beside what is held. */
  async #more() {
    const { product } = this.shown[0];
    if (!(await this.#take(this.product(product)))) return;
    this.#draw(this.#of(product).filter((hold) => !isOrdered(hold)));
    await this.form.update(this.shown);
  }

  /** More time is to be had once for each. */
  async #extend() {
    for (const { id } of this.shown.filter((hold) => !hold.extended)) {
      const longer = await api("POST", `/holds/${id}/extend`);
      this.#setClock(longer.now_ms);
      this.holds.set(id, longer);
    }
    this.#draw(this.shown.map((hold) => this.holds.get(hold.id)));
    this.warned.clear();
    announce(t("hold.extended"));
  }

  async #release(holds) {
    for (const { id } of holds) await api("DELETE", `/holds/${id}`);
    this.#forget(holds);
    if (this.shown.length === 0) this.dialog.close();
  }

  /** They are held no more; what is left in the sheet costs something else. */
  #forget(holds) {
    for (const { id } of holds) this.holds.delete(id);
    const rest = this.shown.filter((hold) => !holds.includes(hold));
    if (rest.length === 0) this.shown = [];
    else {
      this.#draw(rest);
      this.form.update(rest);
    }
    this.changed();
  }

  async #guard(action) {
    say(this.form.alert);
    try {
      await action();
    } catch (error) {
      say(this.form.alert, explain(error));
    }
  }

  #setClock(now_ms) {
    this.offset_ms = now_ms - Date.now();
  }

  #left(hold) {
    return hold.expires_at_ms - (Date.now() + this.offset_ms);
  }
}

function isOrdered(hold) {
  return hold.state.toLowerCase() === "ordered";
}

async function openOrderOf(product) {
  const { orders } = await api("GET", "/orders");
  return orders.find((order) => ["placed", "paying"].includes(order.state) && order.lines.some((line) => line.product === product));
}
