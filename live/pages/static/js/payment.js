/**
 * Ways to pay. Providers ask for the money on pages of their own, to which the browser is sent: no
 * script of theirs runs here. Where there are several the buyer chooses; none is chosen before.
 */
import { api, Problem } from "./api.js";
import { h } from "./dom.js";
import { hasText, t } from "./text.js";

let providers = null;

/** @returns {Promise<string[]>} where orders can be paid */
export async function paymentMethods() {
  providers ??= (await api("GET", "/payments/methods")).providers;
  return providers;
}

/** Pay an order where there is one way to; else its page asks which. @param {string} order its id */
export async function payOrder(order) {
  const here = `/orders/${encodeURIComponent(order)}`;
  if ((await paymentMethods()).length === 1) await payAt(order);
  else if (location.pathname !== here) location.assign(here);
}

/** @param {string} order its id @param {string} [provider] may be left out where there is one */
export async function payAt(order, provider) {
  const query = provider ? `?provider=${encodeURIComponent(provider)}` : "";
  const { redirect } = await api("POST", `/orders/${encodeURIComponent(order)}/pay${query}`);
  const url = new URL(redirect, location.href);
  if (!["https:", "http:"].includes(url.protocol)) throw new Problem(0, "malformed");
  location.assign(url);
}

/** @param {string[]} methods @param {(provider: string) => void} choose @returns {HTMLElement[]} a button for each */
export function methodButtons(methods, choose) {
  return methods.map((provider) => {
    const key = `payment.${provider}`;
    const button = h("button", { class: "primary wide", type: "button", "data-test": `pay-${provider}` }, hasText(key) ? t(key) : provider);
    button.addEventListener("click", () => choose(provider));
    return button;
  });
}
