/**
 * How an amount came to be, the same wherever it is shown: before the order, on it, on its receipt.
 */
import { h } from "./dom.js";
import { fullCount, money, t } from "./text.js";

/**
 * @param {any} quote a quote, or an order, which keeps its own
 * @returns {Node[]} rows of a description list
 */
export function amounts(quote) {
  const say = (minor) => money(minor, quote.currency);
  const rows = [["goods", say(quote.goods_minor)]];
  if (quote.coupon) rows.push(["coupon", `−${say(quote.coupon_minor)}`, quote.coupon]);
  rows.push(["delivery", quote.delivery_minor ? say(quote.delivery_minor) : t("checkout.free")]);
  if (quote.points_minor) rows.push(["points", `−${say(quote.points_minor)}`]);
  const over = ["cancelled", "expired"].includes(quote.state);
  if (quote.earns_minor && !over) rows.push(["earns", t("checkout.points_of", { points: fullCount(quote.earns_minor) })]);
  return rows.map(([name, amount, detail]) => h("div", { "data-amount": name },
    h("dt", {}, t(`checkout.${name}`), detail ? h("span", { class: "soft" }, ` ${detail}`) : null),
    h("dd", {}, amount)));
}
