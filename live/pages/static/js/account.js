/**
 * The account button and its dialog: sign in or up for a passer-by; name, orders and the way out
 * for somebody signed in. `requireAccount` is how any part of a page asks for a signed-in person.
 */
import { api, explain } from "./api.js";
import { $, fieldsOf, h, say, sheet } from "./dom.js";
import { me, onAccount, rename, signIn, signOut, signUp } from "./session.js";
import { fullCount, lineName, moment, money, t } from "./text.js";

const ORDERS_SHOWN = 5;
const dialog = sheet($("#account-dialog"));
const body = $("#account-body");

dialog.addEventListener("close", () => body.replaceChildren());
for (const button of document.querySelectorAll("[data-account]")) {
  button.addEventListener("click", open);
  onAccount((account) => {
    button.classList.toggle("signed-in", Boolean(account));
    const label = account ? t("account.of", { name: account.name }) : t("account.sign_in");
    if (button.classList.contains("round")) button.setAttribute("aria-label", label);
    else button.textContent = account ? account.name : label;
    button.title = label;
  });
}

/**
 * The signed-in account; asks a passer-by to sign in first.
 * @param {string} why what signing in is needed for, already in the visitor's language
 * @returns {Promise<import("./session.js").Account|null>} null when the visitor thought better of it
 */
export async function requireAccount(why) {
  const account = await me();
  if (account) return account;
  return new Promise((resolve) => {
    body.replaceChildren(accountForm(() => dialog.close(), why));
    dialog.addEventListener("close", () => resolve(me()), { once: true });
    dialog.showModal();
  });
}

/**
 * The sign-in and sign-up form.
 * @param {() => void} done called once somebody is signed in
 * @param {string} [why]
 * @returns {HTMLFormElement}
 */
export function accountForm(done, why = "") {
  const form = $("#account-form").content.cloneNode(true).querySelector("form");
  const alert = $("[data-alert]", form);
  say($("[data-why]", form), why);
  let mode = "in";
  const turn = (next) => {
    mode = next;
    for (const button of form.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    for (const part of form.querySelectorAll("[data-only]")) part.hidden = part.dataset.only !== mode;
    form.elements.name.required = mode === "up";
    form.elements.password.autocomplete = mode === "up" ? "new-password" : "current-password";
    $(".primary", form).textContent = t(mode === "up" ? "account.sign_up" : "account.sign_in");
    say(alert);
  };
  for (const button of form.querySelectorAll("[data-mode]")) button.addEventListener("click", () => turn(button.dataset.mode));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = fieldsOf(form, (text) => say(alert, text), (field) => t(`account.check_${field.name}`));
    if (!fields) return;
    const submit = $(".primary", form);
    submit.disabled = true;
    say(alert);
    try {
      await (mode === "up" ? signUp(fields.email, fields.password, fields.name) : signIn(fields.email, fields.password));
      done();
    } catch (error) {
      say(alert, explain(error));
    } finally {
      submit.disabled = false;
    }
  });
  return form;
}

async function open() {
  const account = await me();
  body.replaceChildren(account ? card(account) : accountForm(() => dialog.close()));
  dialog.showModal();
}

function card(account) {
  const points = h("p", { class: "soft", "data-test": "points-have", hidden: true });
  showPoints(points);
  const orders = h("ul", { class: "rows", "aria-label": t("account.orders") });
  showOrders(orders);
  return h("div", { class: "stack" },
    h("p", { class: "account-name" }, account.name, h("span", { class: "soft" }, account.email)),
    points,
    nameForm(account),
    h("h3", {}, t("account.orders")),
    orders,
    h("a", { class: "secondary wide", href: "/sell" }, t("site.sell")),
    eraser(),
    h("button", { class: "plain wide", type: "button", "data-test": "sign-out", onclick: () => signOut().finally(() => dialog.close()) }, t("account.sign_out")),
  );
}

function nameForm(account) {
  const alert = h("p", { class: "alert", role: "alert", hidden: true });
  const field = h("input", { name: "name", value: account.name, autocomplete: "nickname", maxlength: 40, required: true, "data-test": "nickname" });
  const button = h("button", { class: "secondary small", "data-test": "rename" }, t("account.rename"));
  const save = async (event) => {
    event.preventDefault();
    say(alert);
    button.disabled = true;
    try {
      body.replaceChildren(card(await rename(field.value)));
    } catch (error) {
      say(alert, explain(error));
    } finally {
      button.disabled = false;
    }
  };
  return h("form", { class: "stack", onsubmit: save }, h("label", { class: "field" }, h("span", {}, t("account.name")), field), button, alert);
}

/** Two taps away, since it cannot be undone. */
function eraser() {
  const told = h("p", { class: "soft", role: "status" });
  const button = h("button", { class: "secondary wide", type: "button", "data-test": "erase-now", onclick: erase }, t("account.erase_now"));
  async function erase() {
    button.disabled = true;
    try {
      const { messages } = await api("DELETE", "/me/chat");
      told.textContent = t("account.erased", { count: messages });
    } catch (error) {
      told.textContent = explain(error);
      button.disabled = false;
    }
  }
  return h("details", { class: "stack", "data-test": "erase" }, h("summary", {}, t("account.erase")), h("p", { class: "soft" }, t("account.erase_hint")), button, told);
}

/** What there is to spend, what comes, and what goes first; of what is none nothing is said. */
async function showPoints(place) {
  try {
    const { wallet, expiring: [soon] } = await api("GET", "/me/points");
    const facts = [["points", wallet.ready_minor], ["points_coming", wallet.pending_minor]];
    const told = facts.filter(([, some]) => some > 0).map(([key, some]) => t(`account.${key}`, { points: fullCount(some) }));
    if (soon) told.push(t("account.points_going", { points: fullCount(soon.amount_minor), when: moment(soon.expires_at_ms) }));
    say(place, told.join(" · "));
  } catch (error) {
    say(place, explain(error));
  }
}

function linesName([first, ...others]) {
  return others.length ? t("account.order_of", { first: lineName(first), others: fullCount(others.length) }) : lineName(first);
}

async function showOrders(list) {
  try {
    const { orders } = await api("GET", "/orders");
    const rows = orders.slice(0, ORDERS_SHOWN).map((order) => h("li", { class: "row" },
      h("a", { class: "row-main", href: `/orders/${order.id}` },
        h("strong", {}, linesName(order.lines)),
        h("span", { class: "soft" }, `${t(`order.state_${order.state}`)} · ${money(order.total_minor, order.currency)}`))));
    list.replaceChildren(...(rows.length ? rows : [h("li", { class: "soft" }, t("account.no_orders"))]));
  } catch (error) {
    list.replaceChildren(h("li", { class: "soft" }, explain(error)));
  }
}
