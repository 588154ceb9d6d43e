/**
 * An order: what it is, what has become of it. A buyer who comes back from paying waits here while
 * the server makes sure of the money.
 */
import { accountForm } from "./account.js";
import { api, explain, Problem } from "./api.js";
import { $, h, say } from "./dom.js";
import { methodButtons, payAt, payOrder, paymentMethods } from "./payment.js";
import { drawRefunds } from "./refund.js";
import { amounts } from "./quote.js";
import { me } from "./session.js";
import { lineName, money, moment, t } from "./text.js";

const CONFIRM_TRIES = 8;
const id = decodeURIComponent(location.pathname.split("/")[2]);
const here = `/orders/${encodeURIComponent(id)}`;
const alert = $("#order-alert");
let account = null;
let methods = [];

async function open() {
  say(alert);
  account = await me();
  try {
    let order = await api("GET", here);
    if (account?.id === order.buyer) methods = await paymentMethods();
    $("#order-methods-buttons").replaceChildren(...methodButtons(methods, choose));
    draw(order);
    // whoever comes back from paying may be faster than the provider's word: have the server ask
    const asking = account?.id === order.buyer && ["placed", "paying"].includes(order.state);
    for (let attempt = 0; asking && attempt < CONFIRM_TRIES; attempt += 1) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 500 * 1.8 ** attempt));
      order = await api("POST", `${here}/confirm`);
      draw(order);
      if (order.state !== "paying") break;
    }
  } catch (error) {
    refused(error);
  }
}

function refused(error) {
  say(alert, explain(error));
  if (!(error instanceof Problem)) return;
  if (error.status === 401) {
    say(alert);
    $("#order-state").textContent = t("order.sign_in");
    $("#order-sign-in").replaceChildren(accountForm(() => location.reload()));
  } else if ([403, 404].includes(error.status)) {
    $("#order-state").textContent = t("order.gone");
  }
}

function draw(order) {
  const mine = account?.id === order.buyer;
  document.body.dataset.order = order.state;
  $("#order").removeAttribute("aria-busy");
  $("#order").dataset.state = order.state;
  $("#order-state").textContent = t(`order.title_${order.state}`);
  $("#order-state").dataset.state = order.state;
  $("#order-detail").textContent = detail(order);
  $("#order-lines").replaceChildren(...order.lines.map((line) => h("li", {},
    h("span", {}, lineName(line), h("span", { class: "soft" }, ` × ${line.quantity}`)),
    h("span", {}, money(line.price_minor * line.quantity, order.currency)))));
  $("#order-amounts").replaceChildren(...amounts(order));
  $("#order-total").textContent = money(order.total_minor, order.currency);
  const { name, phone, postcode, address } = order.recipient ?? {};
  $("#order-recipient").hidden = !name;
  $("#recipient").replaceChildren(...[name, phone, [postcode, address].filter(Boolean).join(" ")].filter(Boolean).map((text) => h("span", {}, text)));
  $("#order-id").textContent = order.id;
  $("#order-store").href = `/stores/${encodeURIComponent(order.store)}`;
  const payable = mine && order.state === "placed";
  $("#order-pay").hidden = !(payable && methods.length === 1);
  $("#order-methods").hidden = !(payable && methods.length > 1);
  $("#order-cancel").hidden = !(mine && order.state === "placed");
  drawRefunds(order, account, draw);
  $("#order-body").hidden = false;
}

async function choose(provider) {
  const buttons = document.querySelectorAll("#order-methods button");
  for (const one of buttons) one.disabled = true;
  say(alert);
  try {
    await payAt(id, provider);
  } catch (error) {
    refused(error);
  } finally {
    for (const one of buttons) one.disabled = false;
  }
}

function detail(order) {
  if (order.state === "placed" && order.expires_at_ms) return t("order.detail_placed", { when: moment(order.expires_at_ms) });
  return t(`order.detail_${order.state}`);
}

function button(selector, action) {
  $(selector).addEventListener("click", async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    say(alert);
    try {
      await action();
    } catch (error) {
      refused(error);
    } finally {
      pressed.disabled = false;
    }
  });
}

button("#order-pay", () => payOrder(id));
$("#order-print").addEventListener("click", () => print());
button("#order-cancel", async () => draw(await api("POST", `${here}/cancel`)));
open();
