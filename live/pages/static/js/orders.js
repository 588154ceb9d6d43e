/**
 * Orders as they come in: newest first, each seen at a glance, a new one glows for a moment.
 */
import { api } from "./api.js";
import { $, h } from "./dom.js";
import { flash } from "./products.js";
import { clockTime, lineName, money, t } from "./text.js";

const SHOWN_MAX = 100;

export class Orders {
  constructor() {
    this.list = $("#orders");
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
  }

  /** @param {string} store */
  async load(store) {
    const { orders } = await api("GET", `/stores/${encodeURIComponent(store)}/orders`);
    const newestLast = [...orders].sort((a, b) => a.created_at_ms - b.created_at_ms).slice(-SHOWN_MAX);
    for (const order of newestLast.filter((one) => ["paid", "cancelled"].includes(one.state))) this.#put(order);
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
    if (this.list.childElementCount > SHOWN_MAX) this.list.lastElementChild.remove();
    $("#orders-empty").hidden = true;
    return row;
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
