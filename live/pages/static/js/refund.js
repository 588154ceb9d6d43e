/**
 * What goes back of an order: the list of its refunds, the buyer's way to cancel what is paid, and
 * the seller's form to give back units or an amount.
 */
import { api, explain, freshKey } from "./api.js";
import { $, h, say } from "./dom.js";
import { lineName, money, moment, t } from "./text.js";

const place = $("#refund");
const alert = $("[data-alert]", place);
const form = $("[data-give]", place);
let key = freshKey();
let order = null;
let drawn = () => {};

/**
 * @param {any} now the order @param {{id: string}|null} account who looks
 * @param {(order: any) => void} redraw told when the order is another one
 */
export function drawRefunds(now, account, redraw) {
  order = now;
  drawn = redraw;
  const refunds = order.refunds ?? [];
  const paid = order.state === "paid";
  const mine = account?.id === order.buyer;
  const left_minor = order.total_minor - order.refunded_minor;
  place.hidden = !(refunds.length || paid);
  const list = $("[data-refunds]", place);
  list.replaceChildren(...refunds.map(row));
  list.hidden = refunds.length === 0;
  $("#refund-title").hidden = mine && refunds.length === 0;
  $("[data-cancel]", place).hidden = !(mine && paid && left_minor > 0);
  $("[data-promise]", place).textContent = t("refund.promise", { amount: money(left_minor, order.currency) });
  form.closest("details").hidden = mine || !paid || left_minor <= 0;
  $("[data-lines]", form).replaceChildren(...order.lines.map(quantityField));
}

function row(refund) {
  return h("li", { class: "row", "data-test": "refund" },
    h("span", { class: "row-main" }, h("strong", {}, money(refund.amount_minor, order.currency)),
      h("span", { class: "soft" }, ` ${moment(refund.created_at_ms)}${refund.reason ? ` · ${refund.reason}` : ""}`)),
    h("span", { class: "badge" }, t(`refund.state_${refund.state}`)));
}

function quantityField(line, number) {
  const gone = order.refunds.flatMap((refund) => refund.lines).filter((back) => back.line === number);
  const left = line.quantity - gone.reduce((sum, back) => sum + back.quantity, 0);
  const input = h("input", { type: "number", name: `line-${number}`, min: 0, max: left, value: 0, inputmode: "numeric", "data-line": number, "data-test": "refund-quantity" });
  return h("label", { class: "field" }, h("span", {}, t("refund.of", { title: lineName(line), left })), input);
}

function wish() {
  const lines = [...form.querySelectorAll("[data-line]")]
    .map((input) => ({ line: Number(input.dataset.line), quantity: Number(input.value) }))
    .filter(({ quantity }) => quantity > 0);
  const amount_minor = Number(form.elements.namedItem("amount").value);
  return {
    lines,
    ...(amount_minor > 0 ? { amount_minor } : {}),
    restock: form.elements.namedItem("restock").checked,
    reason: form.elements.namedItem("reason").value.trim(),
  };
}

async function ask(button, act) {
  button.disabled = true;
  say(alert);
  try {
    drawn(await act());
    form.reset(); // an amount that went back is not to go back again
    key = freshKey();
  } catch (error) {
    say(alert, explain(error));
    if (error.status) key = freshKey(); // refused for certain: the next try is another one
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = wish();
  if (!form.checkValidity() || !(body.lines.length || body.amount_minor)) return say(alert, t("refund.nothing"));
  return ask($("[data-send]", form), () => api("POST", `/orders/${encodeURIComponent(order.id)}/refunds`, { body, key }));
});

$("[data-cancel-now]", place).addEventListener("click", (event) => {
  ask(event.currentTarget, () => api("POST", `/orders/${encodeURIComponent(order.id)}/cancel`));
});
