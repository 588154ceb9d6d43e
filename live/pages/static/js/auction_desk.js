/**
 * The seller's auctions on the console: open one, watch it, call it off while nobody has bid.
 */
import { api, explain, freshKey } from "./api.js";
import { lotName, ServerClock, showClock } from "./auction_clock.js";
import { $, h, say } from "./dom.js";
import { money, t } from "./text.js";

const TICK_MS = 250;

export class AuctionDesk {
  /** @param {{show: () => Promise<{id: string}|null>, products: () => any[]}} options the current show, and what is for sale */
  constructor({ show, products }) {
    this.show = show;
    this.products = products;
    this.clock = new ServerClock();
    /** @type {import("./auction_clock.js").Auction|null} */
    this.auction = null;
    this.key = freshKey();
    this.place = $("#auction");
    this.adder = $("#auction-adder");
    this.form = $("#auction-form");
    this.alert = $("[data-alert]", this.form);
    this.adder.addEventListener("toggle", () => this.adder.open && this.#fill());
    this.form.addEventListener("submit", (event) => this.#open(event));
    this.form.addEventListener("input", () => { this.key = freshKey(); });
    $("#auction-cancel").addEventListener("click", () => this.#cancel());
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** The room tells how things are. @param {any} event a `welcome` */
  welcome(event) {
    this.clock.heard(event.now_ms);
    this.clear();
    this.changed(event.offers.find((offer) => offer.type === "auction")?.auction);
  }

  /** Another show, or none. */
  clear() {
    this.auction = null;
    this.#render();
  }

  /** An auction as it is now. @param {any} auction */
  changed(auction) {
    if (!auction) return;
    this.clock.heard(auction.now_ms);
    if (this.auction?.id === auction.id && this.auction.version > auction.version) return;
    this.auction = auction;
    this.#render();
  }

  #fill() {
    const select = this.form.elements.sku;
    const chosen = select.value;
    select.replaceChildren(...this.products().flatMap(choices));
    if (chosen) select.value = chosen;
  }

  async #open(event) {
    event.preventDefault();
    say(this.alert);
    const fields = this.form.elements;
    const wrong = [...fields].find((field) => field.name && !field.checkValidity());
    if (wrong || !fields.sku.value) {
      (wrong ?? fields.sku).focus();
      return say(this.alert, t("auction.check_lot"));
    }
    const body = {
      sku: fields.sku.value,
      quantity: Number(fields.quantity.value),
      start_minor: Number(fields.start.value),
      increments: fields.increments.value,
      starts_in_s: Number(fields.starts_in.value),
      length_s: Number(fields.seconds.value),
      claim_s: Number(fields.claim.value),
      sudden_death: fields.sudden.checked,
      to_runner_up: fields.runner_up.checked,
    };
    return this.#guard($("#auction-open"), async () => {
      const show = await this.show();
      if (!show) return;
      this.changed(await api("POST", `/shows/${show.id}/auctions`, { body, key: this.key }));
      this.key = freshKey();
      this.adder.open = false;
    });
  }

  #cancel() {
    return this.#guard($("#auction-cancel"), async () => {
      this.changed(await api("POST", `/auctions/${this.auction.id}/cancel`));
    });
  }

  async #guard(button, action) {
    button.disabled = true;
    say(this.alert);
    try {
      await action();
    } catch (error) {
      this.adder.open = true;
      say(this.alert, explain(error));
    } finally {
      button.disabled = false;
    }
  }

  #render() {
    const { auction } = this;
    this.place.hidden = !auction;
    if (!auction) return;
    const open = auction.state === "open";
    const amount = money(auction.price_minor, auction.currency);
    this.place.dataset.state = auction.state;
    $("#auction-lot").textContent = lotName(auction);
    $("#auction-price").textContent = auction.quantity > 1 ? t("auction.each", { amount }) : amount;
    const name = auction.leader_name;
    $("#auction-leader").textContent = name ? t("auction.leader", { name, count: auction.bids }) : t("auction.no_bids");
    say($("#auction-standing"), open ? "" : t(`auction.was_${auction.state}`));
    $("#auction-cancel").hidden = !open || auction.bids > 0;
    $("#auction-clock").hidden = !open;
    this.#tick();
  }

  #tick() {
    if (this.auction?.state === "open") showClock(this.place, this.auction, this.clock.now());
  }
}

function choices(product) {
  return product.skus.map((sku) => h("option", { value: sku.id }, [product.title, ...sku.options].join(" · ")));
}
