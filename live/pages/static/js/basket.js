/**
 * The basket: all that the buyer holds in a store, how long each, and one order for all of it.
 */
import { accountForm } from "./account.js";
import { api, explain, Problem } from "./api.js";
import { CheckoutForm } from "./checkout.js";
import { $, h, productPicture, say } from "./dom.js";
import { me } from "./session.js";
import { lineName, minutesLeft, money, t } from "./text.js";

const TICK_MS = 500;
const slug = decodeURIComponent(location.pathname.split("/")[2]);
const here = `/stores/${encodeURIComponent(slug)}`;
const alert = $("#basket-alert");
const form = new CheckoutForm($("#basket-checkout"));
$("#basket-store").href = here;
let offset_ms = 0;
let holds = [];
let products = new Map();

async function open() {
  if (!(await me())) {
    signIn();
    return;
  }
  const [basket, shelf] = await Promise.all([api("GET", `${here}/basket`), api("GET", `${here}/products`)]);
  offset_ms = basket.now_ms - Date.now();
  products = new Map(shelf.products.map((product) => [product.id, product]));
  $("#basket").removeAttribute("aria-busy");
  show(basket.holds);
  if (holds.length > 0) await form.open(holds, slug);
}

function signIn() {
  $("#basket").removeAttribute("aria-busy");
  $("#basket-sign-in").replaceChildren(accountForm(() => location.reload()));
}

function show(left) {
  holds = left;
  $("#basket-holds").replaceChildren(...holds.map(row));
  $("#basket-empty").hidden = holds.length > 0;
  $("#basket-checkout").hidden = holds.length === 0;
}

function row(hold) {
  const name = lineName(hold);
  return h("li", { class: "row", "data-hold": hold.id, "data-test": "basket-hold" },
    h("span", { class: "thumb" }, productPicture(products.get(hold.product) ?? { id: hold.product, picture: null })),
    h("span", { class: "row-main" },
      h("span", { class: "product-title" }, name, h("span", { class: "soft" }, ` × ${hold.quantity}`)),
      h("span", { class: "product-facts" },
        h("span", { class: "price" }, money(hold.price_minor * hold.quantity, hold.currency)),
        h("span", { class: "soft" }, h("span", { class: "quiet" }, t("hold.time_left")), h("span", { role: "timer", "data-left": hold.expires_at_ms }, left(hold))))),
    h("button", { class: "plain small", type: "button", "data-test": "remove", "aria-label": t("basket.remove_named", { title: name }), onclick: () => guard(() => remove(hold)) }, t("basket.remove")));
}

function left(hold) {
  return minutesLeft(hold.expires_at_ms - (Date.now() + offset_ms));
}

async function remove(hold) {
  await api("DELETE", `/holds/${hold.id}`);
  await drop(holds.filter((one) => one.id !== hold.id));
}

async function drop(rest) {
  show(rest);
  if (rest.length > 0) await form.update(rest);
}

function tick() {
  for (const hold of holds) $(`[data-hold="${hold.id}"] [data-left]`).textContent = left(hold);
  const alive = holds.filter((hold) => hold.expires_at_ms > Date.now() + offset_ms);
  if (alive.length === holds.length) return;
  $("#basket-gone").hidden = false;
  guard(() => drop(alive));
}

async function guard(action) {
  say(alert);
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) signIn();
    else say(alert, explain(error));
  }
}

guard(open);
setInterval(tick, TICK_MS);
