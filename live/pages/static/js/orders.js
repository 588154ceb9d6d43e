/**
 * Orders as they come in: newest first, each seen at a glance, a new one glows for a moment.
 */
import { api, explain } from "./api.js";
import { $, h, say } from "./dom.js";
import { flash } from "./products.js";
import { clockTime, lineName, money, t } from "./text.js";

/** Orders in one answer, and rows on the page for each page that was asked for. */
const PAGE = 100;

export class Orders {
  constructor() {
    this.list = $("#orders");
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.shown_max = PAGE;
    this.more = $("#orders-more");
    this.more.addEventListener("click", () => this.#goBack());
  }

  /** @param {string} store */
  async load(store) {
    this.path = `/stores/${encodeURIComponent(store)}/orders`;
    this.#append((await api("GET", this.path)).orders);
  }

  /** An order event of the room. @param {any} order @returns {Promise<void>} */
  async add(order) {
    const whole = order.lines ? order : await api("GET", `/orders/${order.id}`);
    flash(this.#put(whole));
  }

  #put(order) {
    this.rows.get(order.id)?.remove();
    const row = render(order);
    this.rows.set(order.id, row);
    this.list.prepend(row);
    if (this.list.childElementCount > this.shown_max) this.#dropLast();
    $("#orders-empty").hidden = true;
    return row;
  }

  #append(orders) {
    for (const order of orders.filter((one) => ["paid", "cancelled"].includes(one.state) && !this.rows.has(one.id))) {
      this.rows.set(order.id, render(order));
      this.list.append(this.rows.get(order.id));
      $("#orders-empty").hidden = true;
    }
    this.oldest = orders.at(-1)?.id ?? this.oldest;
    this.more.hidden = orders.length < PAGE;
  }

  /** The oldest makes room for the newest; the way back begins before it. */
  #dropLast() {
    const last = this.list.lastElementChild;
    last.remove();
    this.rows.delete(last.dataset.order);
    this.oldest = this.list.lastElementChild.dataset.order;
    this.more.hidden = false;
  }

  async #goBack() {
    const alert = $("#orders-alert");
    say(alert);
    this.more.disabled = true;
    try {
      const { orders } = await api("GET", `${this.path}?before=${encodeURIComponent(this.oldest)}`);
      this.shown_max += PAGE;
      this.#append(orders);
    } catch (error) {
      say(alert, explain(error));
    } finally {
      this.more.disabled = false;
    }
  }
}

function render(order) {
  const lines = order.lines.map((line) => `${lineName(line)} × ${line.quantity}`).join(", ");
  const facts = [money(order.total_minor, order.currency), order.recipient?.name, order.created_at_ms ? clockTime(order.created_at_ms) : null];
  return h("li", { class: "row order-row", "data-order": order.id, "data-state": order.state, "data-test": "order" },
    h("a", { class: "row-main", href: `/orders/${order.id}`, target: "_blank", rel: "noopener" },
      h("strong", {}, lines),
      h("span", { class: "soft" }, facts.filter(Boolean).join(" · "))),
    h("span", { class: `badge ${order.state}` }, t(`order.state_${order.state}`)));
}
