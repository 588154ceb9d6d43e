/**
 * From holds to the payment page: the total first and how it is made up, who the parcel is for, a
 * coupon and points if the buyer wants them. Every amount is the server's; the order names the
 * total that was shown.
 */
import { api, explain, freshKey, Problem } from "./api.js";
import { $, fieldsOf, h, say } from "./dom.js";
import { payAt, payOrder } from "./payment.js";
import { amounts } from "./quote.js";
import { fullCount, hasText, money, t } from "./text.js";

export class CheckoutForm {
  /** @param {HTMLElement} within where the form is */
  constructor(within) {
    this.form = $("[data-checkout]", within);
    this.alert = $("[data-alert]", this.form);
    this.pay = $("[data-pay]", this.form);
    this.coupon = $("[data-coupon]", this.form);
    this.points = $("[data-points]", this.form);
    this.fields = this.form.elements;
    this.holds = [];
    this.asked = 0;
    this.#listen();
  }

  #listen() {
    this.form.addEventListener("submit", (event) => this.#order(event));
    $("[data-coupon-use]", this.form).addEventListener("click", () => this.#use());
    $("[data-points-all]", this.form).addEventListener("click", () => {
      this.points.value = String(this.wallet.ready_minor);
      this.#reckon();
    });
    this.points.addEventListener("change", () => this.#reckon());
    this.fields.namedItem("postcode").addEventListener("input", ({ target }) => {
      if (target.checkValidity() || !target.value) this.#reckon();
    });
    this.coupon.addEventListener("change", () => this.#use());
    this.coupon.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#use();
    });
    $("[data-addresses]", this.form).addEventListener("change", ({ target }) => {
      this.#fill(this.addresses[target.value]?.recipient);
      this.#reckon();
    });
  }

  /**
   * Begin afresh with these holds: nothing is wished for, the usual address is proposed.
   * @param {any[]} holds of one store
   * @param {string} store
   */
  async open(holds, store) {
    this.holds = holds;
    this.code = null;
    this.coupon.value = "";
    this.points.value = "";
    try {
      await Promise.all([this.#loadPoints(), this.#loadAddresses(), this.#loadTerms(store)]);
    } catch (error) {
      say(this.alert, explain(error));
      return;
    }
    await this.#reckon();
  }

  /** Go on with these holds. @param {any[]} holds */
  async update(holds) {
    this.holds = holds;
    await this.#reckon();
  }

  async #loadTerms(store) {
    const { delivery, currency } = await api("GET", `/stores/${encodeURIComponent(store)}`);
    const extra = delivery?.remote_fee_minor;
    $("[data-far]", this.form).textContent = extra ? t("checkout.far", { amount: money(extra, currency) }) : "";
  }

  async #loadPoints() {
    const { wallet } = await api("GET", "/me/points");
    this.wallet = wallet;
    $("[data-purse]", this.form).hidden = wallet.ready_minor === 0;
    $("[data-points-label]", this.form).textContent = t("checkout.points_have", { points: fullCount(wallet.ready_minor) });
    this.points.max = String(wallet.ready_minor);
  }

  async #loadAddresses() {
    const { addresses } = await api("GET", "/me/addresses");
    this.addresses = addresses;
    $("[data-saved]", this.form).hidden = addresses.length === 0;
    $("[data-addresses]", this.form).replaceChildren(
      ...addresses.map(({ recipient }, place) => h("option", { value: place }, `${recipient.name} · ${recipient.address}`)),
      h("option", { value: "" }, t("checkout.other_address")));
    if (addresses.length > 0) this.#fill(addresses[0].recipient);
  }

  #fill(recipient) {
    for (const name of ["name", "phone", "postcode", "address"]) this.fields.namedItem(name).value = recipient?.[name] ?? "";
  }

  #use() {
    const code = this.coupon.value.trim() || null;
    if (code === this.code) return;
    this.code = code;
    this.#reckon();
  }

  get #wish() {
    const postcode = this.fields.namedItem("postcode");
    return {
      holds: this.holds.map((hold) => hold.id),
      coupon: this.code ?? null,
      points_minor: Math.max(0, Math.floor(Number(this.points.value) || 0)),
      postcode: postcode.value && postcode.checkValidity() ? postcode.value : null,
    };
  }

  /** Ask what it costs now; of answers that overtake each other the last asked counts. */
  async #reckon() {
    this.asked += 1;
    const turn = this.asked;
    say(this.alert);
    this.pay.disabled = true;
    try {
      const quote = await api("POST", "/quotes", { body: this.#wish });
      if (turn === this.asked) this.#draw(quote);
    } catch (error) {
      if (turn === this.asked) this.#refused(error);
    }
  }

  #draw(quote) {
    this.quote = quote;
    const total = money(quote.total_minor, quote.currency);
    $("[data-total]", this.form).textContent = total;
    $("[data-amounts]", this.form).replaceChildren(...amounts(quote));
    say($("[data-coupon-counts]", this.form), quote.coupon ? t("checkout.coupon_counts", { amount: money(quote.coupon_minor, quote.currency) }) : "");
    this.pay.textContent = quote.total_minor ? t("hold.pay_amount", { amount: total }) : t("checkout.order_free");
    this.pay.disabled = false;
  }

  /** What is wished for and cannot be is said, and left out of the next reckoning. */
  #refused(error) {
    const { code, facts = {} } = error;
    if (code === "coupon_refused" && this.code) {
      this.code = null;
      this.#reckon().then(() => say(this.alert, whyNot(facts, this.quote?.currency)));
    } else if (code === "not_enough_points" && this.points.value) {
      this.points.value = "";
      this.#reckon().then(() => say(this.alert, explain(error)));
    } else {
      say(this.alert, explain(error));
    }
  }

  async #order(event) {
    event.preventDefault();
    const recipient = fieldsOf(this.form, (text) => say(this.alert, text), (field) => t(`hold.check_${field.name}`));
    if (!recipient || !this.quote) return;
    const { holds, coupon, points_minor } = this.#wish;
    const body = { holds, coupon, points_minor, recipient, total_minor: this.quote.total_minor };
    if (JSON.stringify(body) !== this.said) { // another request than the last, so another key
      this.said = JSON.stringify(body);
      this.key = freshKey();
    }
    this.pay.disabled = true;
    say(this.alert);
    try {
      const order = await api("POST", "/orders", { body, key: this.key });
      await this.#keep(recipient);
      await payFor(order);
    } catch (error) {
      if (error instanceof Problem && error.status) this.said = null; // refused for certain
      if (error.code === "price_changed" && error.facts.quote) this.#draw(error.facts.quote);
      say(this.alert, explain(error));
    } finally {
      this.pay.disabled = false;
    }
  }

  /** An address that cannot be kept, as one too many, is no reason not to pay. */
  async #keep(recipient) {
    if (!$("[data-keep]", this.form).checked) return;
    await api("POST", "/me/addresses", { body: { recipient, usual: true } }).catch(() => null);
  }
}

function whyNot({ reason, minimum_minor: minimum }, currency) {
  const key = `checkout.coupon_${reason}`;
  return hasText(key) ? t(key, { amount: money(minimum ?? 0, currency ?? "KRW") }) : t("checkout.coupon_unknown");
}

/** Go where the order is paid; where that is not known yet, to the order. @param {any} order */
async function payFor(order) {
  try {
    await (order.total_minor ? payOrder(order.id) : payAt(order.id));
  } catch {
    location.assign(`/orders/${order.id}`);
  }
}
