/**
 * From Buy to the checkout: take a hold, show how long it lasts by the server's clock and what an
 * order of it costs; what else is held in the store can be ordered with it. A hold outlives its
 * sheet: the Buy button of its product leads back to it until it ends.
 */
import { requireAccount } from "./account.js";
import { api, explain, freshKey, Problem } from "./api.js";
import { CheckoutForm } from "./checkout.js";
import { $, announce, productPicture, say, sheet } from "./dom.js";
import { OptionSheet } from "./options.js";
import { lineName, minutesLeft, money, t } from "./text.js";

const TICK_MS = 250;
const REFUSAL_SHOWN_MS = 12_000;
const WARN_AT_S = [60, 15];

export class Checkout {
  /**
   * @param {{show?: string|null, alert: HTMLElement, changed: () => void, hold?: (lines: any[], key: string) => Promise<any>}} options
   *   where to put refusals, whom to tell that the set of own holds changed, and a shorter way to
   *   hold units than HTTP, which may answer null
   */
  constructor({ show = null, alert, changed, hold = async () => null }) {
    this.show = show;
    this.ask = hold;
    this.place = alert;
    this.changed = changed;
    /** @type {Map<string, any>} the visitor's live holds by product */
    this.holds = new Map();
    this.offset_ms = 0;
    this.busy = false;
    this.options = new OptionSheet();
    this.dialog = sheet($("#hold-sheet"));
    this.form = new CheckoutForm(this.dialog);
    $("[data-release]", this.dialog).addEventListener("click", () => this.#release());
    $("[data-extend]", this.dialog).addEventListener("click", () => this.#extend());
    this.dialog.addEventListener("close", () => clearInterval(this.timer));
  }

  /** Learn the holds the visitor already has. @param {string|null} [first] the one to know of its product's */
  async load(first = null) {
    try {
      const { holds, now_ms } = await api("GET", "/holds");
      this.#setClock(now_ms);
      this.holds = new Map(holds.map((hold) => [hold.product, hold]));
      for (const hold of holds) if (hold.id === first) this.holds.set(hold.product, hold);
      this.changed();
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // a visitor without a session has none
    }
  }

  /** @param {string} product @returns {boolean} whether the visitor holds one now */
  has(product) {
    const hold = this.holds.get(product);
    return Boolean(hold) && (isOrdered(hold) || this.#left(hold) > 0);
  }

  /** Buy was pressed. @param {import("./shelf.js").Product} product */
  async buy(product) {
    if (this.busy) return;
    this.busy = true;
    say(this.place);
    try {
      if (!(await requireAccount(t("hold.sign_in")))) return;
      if (!this.has(product.id)) {
        const sku = await this.options.choose(product);
        if (!sku) return;
        await this.#take(sku);
      }
      await this.#open(product);
    } catch (error) {
      await this.#refused(error, product);
    } finally {
      this.busy = false;
    }
  }

  /** Pay for what is held already. @param {string} hold @param {import("./shelf.js").Product} product */
  async pay(hold, product) {
    await this.load(hold);
    if (this.has(product.id)) await this.#open(product);
  }

  async #take(sku) {
    const lines = [{ sku: sku.id, price_minor: sku.price_minor }];
    const body = { lines, ...(this.show ? { show: this.show } : {}) };
    const key = freshKey();
    const { holds, now_ms } = (await this.ask(lines, key)) ?? (await api("POST", "/holds", { body, key }));
    this.#setClock(now_ms);
    for (const hold of holds) this.holds.set(hold.product, hold);
    this.changed();
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
    const hold = this.holds.get(product.id);
    if (isOrdered(hold)) {
      const order = await openOrderOf(product.id);
      if (order) return location.assign(`/orders/${order.id}`);
    }
    this.hold = hold;
    $("[data-name]", this.dialog).textContent = lineName(hold);
    $("[data-price]", this.dialog).textContent = money(hold.price_minor * hold.quantity, hold.currency);
    $("[data-picture]", this.dialog).replaceChildren(productPicture(product));
    this.#showExtension();
    this.warned = new Set();
    this.#tick();
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    if (!this.dialog.open) this.dialog.showModal();
    this.#linkBasket(product.store);
    await this.form.open([hold], product.store);
    return undefined;
  }

  /** What else is held, in whatever store, is a reason to look into this one's basket. */
  #linkBasket(store) {
    const held = [...this.holds.values()].filter((hold) => !isOrdered(hold)).length;
    const link = $("[data-basket]", this.dialog);
    link.hidden = held < 2;
    link.href = `/stores/${encodeURIComponent(store)}/basket`;
    link.textContent = t("basket.open");
  }

  #tick() {
    const left_ms = this.#left(this.hold);
    $("[data-countdown]", this.dialog).textContent = minutesLeft(left_ms);
    this.dialog.classList.toggle("urgent", left_ms < 30_000);
    const gone = left_ms <= 0;
    $("[data-gone]", this.dialog).hidden = !gone;
    $("[data-promise]", this.dialog).hidden = gone;
    $("[data-going]", this.dialog).hidden = gone;
    for (const seconds of WARN_AT_S) {
      if (left_ms > seconds * 1000 || left_ms < (seconds - 5) * 1000 || this.warned.has(seconds)) continue;
      this.warned.add(seconds);
      announce(t("hold.seconds_left", { seconds }));
    }
    if (gone) this.#forget();
  }

  /** More time is to be had once, for what is not ordered yet. */
  #showExtension() {
    $("[data-extend]", this.dialog).hidden = this.hold.extended || isOrdered(this.hold);
  }

  async #extend() {
    try {
      this.hold = await api("POST", `/holds/${this.hold.id}/extend`);
    } catch (error) {
      return say(this.form.alert, explain(error));
    }
    this.#setClock(this.hold.now_ms);
    this.holds.set(this.hold.product, this.hold);
    this.#showExtension();
    this.warned.clear();
    return announce(t("hold.extended"));
  }

  async #release() {
    const { id } = this.hold;
    try {
      await api("DELETE", `/holds/${id}`);
    } catch (error) {
      return say(this.form.alert, explain(error));
    }
    this.#forget();
    return this.dialog.close();
  }

  #forget() {
    clearInterval(this.timer);
    this.holds.delete(this.hold.product);
    this.changed();
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
