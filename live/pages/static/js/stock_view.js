/**
 * The seller's stock at a glance: of each SKU what is free, held and sold, and how many wait for it.
 * While it is open it follows the room, which says that something moved; the numbers are the server's.
 */
import { api, explain } from "./api.js";
import { $, h, say, sheet } from "./dom.js";
import { fullCount, lineName, t } from "./text.js";

const AGAIN_AFTER_MS = 1_000;
const PILES = ["free", "held", "sold", "waiting"];

/** Events of the room after which the numbers may be others. */
const MOVES = new Set(["stock", "sold_out", "product", "price", "waiting", "order", "welcome"]);

export class StockView {
  /** @param {{store: () => string, opened: () => void}} options */
  constructor({ store, opened }) {
    Object.assign(this, { store, opened });
    this.dialog = sheet($("#stock-sheet"));
    this.alert = $("[data-alert]", this.dialog);
    this.again = 0;
    $("#stock-open").addEventListener("click", () => this.open());
  }

  async open() {
    this.dialog.showModal();
    this.opened();
    await this.load();
  }

  /** @param {any} event of the room; many of them in a second are read once */
  apply(event) {
    if (!this.dialog.open || !MOVES.has(event.type) || this.again) return;
    this.again = setTimeout(() => {
      this.again = 0;
      this.load();
    }, AGAIN_AFTER_MS);
  }

  async load() {
    say(this.alert);
    try {
      const { skus } = await api("GET", `/stores/${encodeURIComponent(this.store())}/stock`);
      this.#show(skus);
    } catch (error) {
      say(this.alert, explain(error));
    }
  }

  #show(skus) {
    const sum = (pile) => skus.reduce((total, line) => total + line[pile], 0);
    $("#stock-lines").replaceChildren(...skus.map(row));
    $("#stock-sums").replaceChildren(
      h("tr", {}, h("th", { scope: "row" }, t("stock.sum")), ...PILES.map((pile) => cell(pile, sum(pile)))));
    $("#stock-table").hidden = skus.length === 0;
    $("#stock-empty").hidden = skus.length > 0;
  }
}

function row(line) {
  const code = line.code ? h("span", { class: "code" }, t("code.show", { code: line.code })) : null;
  return h("tr", { "data-test": "stock-line", "data-sku": line.sku },
    h("th", { scope: "row" }, lineName(line), code), ...PILES.map((pile) => cell(pile, line[pile])));
}

function cell(pile, count) {
  return h("td", { "data-pile": pile, "data-some": count > 0 }, fullCount(count));
}
