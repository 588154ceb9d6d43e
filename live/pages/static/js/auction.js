/**
 * The show's auction on the watch page: how it stands, by the server's clock, and bidding in it.
 * How the visitor fares is told to screen readers as it changes; the clock never is.
 */
import { requireAccount } from "./account.js";
import { api, explain, freshKey, Problem } from "./api.js";
import { lotName, ServerClock, showClock } from "./auction_clock.js";
import { $, productPicture, say } from "./dom.js";
import { flash } from "./products.js";
import { money, t } from "./text.js";

const TICK_MS = 250;
const RESULT_SHOWN_MS = 60_000;
const REFUSAL_SHOWN_MS = 8_000;

export class AuctionCard {
  /** @param {{pay: (product: any) => Promise<void>, product: (id: string) => any, alert: HTMLElement}} options */
  constructor({ pay, product, alert }) {
    this.pay = pay;
    this.product = product;
    this.alert = alert;
    this.clock = new ServerClock();
    /** @type {import("./auction_clock.js").Auction|null} */
    this.auction = null;
    /** @type {{standing: string, max_minor: number, hold: string|null}|null} */
    this.own = null;
    this.ownVersion = 0;
    this.account = null;
    this.place = $("#auction");
    this.bidButton = $("#auction-bid");
    this.form = $("#auction-form");
    this.amount = this.form.elements.amount;
    this.bidButton.addEventListener("click", () => this.#bid(this.auction.minimum_minor, false));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    $("#auction-pay").addEventListener("click", () => this.pay(this.#lot()));
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** The room tells how things are. @param {any} event a `welcome` */
  welcome(event) {
    this.clock.heard(event.now_ms);
    this.changed(event.offers.find((offer) => offer.type === "auction")?.auction);
  }

  /** Whose page this is. @param {{id: string}|null} account */
  setAccount(account) {
    if (this.account?.id === account?.id) return;
    this.account = account;
    this.own = null;
    this.#learnOwn();
  }

  /** An auction as it is now; an older state of the same one changes nothing. @param {any} auction */
  changed(auction) {
    if (!auction) return;
    this.clock.heard(auction.now_ms);
    const before = this.auction;
    if (before?.id === auction.id && before.version > auction.version) return;
    this.auction = auction;
    if (before?.id !== auction.id) {
      this.own = null;
      this.ownVersion = 0;
      this.form.reset();
      this.#learnOwn();
    } else if (before.price_minor !== auction.price_minor) flash($("#auction-price"));
    this.#show();
  }

  /** How the visitor's bid fares. @param {any} event a `bidding` */
  fares(event) {
    if (event.auction === this.auction?.id) this.#take(event.own, event.version);
  }

  #take(own, version) {
    if (version < this.ownVersion) return;
    this.own = own;
    this.ownVersion = version;
    this.#show();
  }

  async #learnOwn() {
    if (!this.auction || !this.account) return this.#show();
    try {
      const { auction, own } = await api("GET", `/auctions/${this.auction.id}`);
      if (auction.id !== this.auction.id) return undefined;
      this.changed(auction);
      if (own) this.#take(own, auction.version);
    } catch (error) {
      this.#complain(explain(error));
    }
    return undefined;
  }

  #submit(event) {
    event.preventDefault();
    const amount = Number(this.amount.value);
    if (!this.amount.value || !this.amount.checkValidity()) {
      this.amount.setAttribute("aria-invalid", "true");
      this.amount.focus();
      return this.#complain(t("auction.check_amount", { amount: money(this.auction.minimum_minor, this.auction.currency) }));
    }
    this.amount.removeAttribute("aria-invalid");
    return this.#bid(amount, this.form.elements.max.checked);
  }

  async #bid(amount_minor, max) {
    const { id, currency } = this.auction;
    if (!(await requireAccount(t("auction.sign_in")))) return;
    this.#busy(true);
    try {
      const { auction, own } = await api("POST", `/auctions/${id}/bids`, { body: { amount_minor, max }, key: freshKey() });
      say(this.alert);
      this.changed(auction);
      this.#take(own, auction.version);
      this.form.reset();
      $("#auction-other").open = false;
    } catch (error) {
      const low = error instanceof Problem && error.code === "bid_too_low";
      this.#complain(low ? t("auction.too_low", { amount: money(error.facts.minimum_minor, currency) }) : explain(error));
      await this.#learnOwn();
    } finally {
      this.#busy(false);
    }
  }

  #busy(yes) {
    this.busy = yes;
    this.#tick();
  }

  #complain(text) {
    say(this.alert, text);
    clearTimeout(this.complaint);
    this.complaint = setTimeout(() => say(this.alert), REFUSAL_SHOWN_MS);
  }

  #leads() {
    return Boolean(this.account) && this.auction.leader === this.account.id;
  }

  #show() {
    const { auction } = this;
    this.place.hidden = !auction || this.#isPast();
    if (this.place.hidden) return;
    this.place.dataset.state = auction.state;
    $("#auction-picture").replaceChildren(productPicture(this.#lot()));
    $("#auction-lot").textContent = lotName(auction);
    $("#auction-price").textContent = this.#price(auction.price_minor);
    $("#auction-price").dataset.minor = String(auction.price_minor);
    const leader = auction.leader && (this.#leads() ? t("auction.you") : auction.leader_name);
    $("#auction-leader").textContent = leader ? t("auction.leader", { name: leader, count: auction.bids }) : t("auction.no_bids");
    this.place.dataset.leads = String(this.#leads());
    say($("#auction-standing"), this.#standing());
    const open = auction.state === "open";
    $("#auction-bidding").hidden = !open;
    $("#auction-pay").hidden = !(this.#leads() && this.own?.hold);
    this.bidButton.textContent = t("auction.bid", { amount: money(auction.minimum_minor, auction.currency) });
    this.amount.min = String(this.#leads() ? (this.own?.max_minor ?? auction.price_minor) + 1 : auction.minimum_minor);
    $("#auction-sudden").hidden = !auction.sudden_death || !open;
    this.#tick();
  }

  #lot() {
    return this.product(this.auction.product) ?? { id: this.auction.product, store: this.auction.store, picture: null, skus: [] };
  }

  #price(minor) {
    const one = money(minor, this.auction.currency);
    return this.auction.quantity > 1 ? t("auction.each", { amount: one }) : one;
  }

  /** In words how it stands for this visitor; nothing where the card tells it already. */
  #standing() {
    const { state, leader, leader_name: name } = this.auction;
    const price = this.#price(this.auction.price_minor);
    if (state === "open") {
      if (this.#leads()) return this.own ? t("auction.leading", { amount: money(this.own.max_minor, this.auction.currency) }) : "";
      return this.own ? t("auction.outbid", { amount: price }) : "";
    }
    if (state === "cancelled") return t("auction.cancelled");
    if (state === "unsold" || !leader) return t("auction.unsold");
    if (!this.#leads()) return t("auction.sold_to", { name, amount: price });
    return t(`auction.mine_${state}`, { amount: price });
  }

  /** A result is shown for a while, and as long as the lot waits to be paid. */
  #isPast() {
    const { state, ends_at_ms } = this.auction;
    if (state === "open" || (this.#leads() && this.own?.hold)) return false;
    return this.clock.now() > ends_at_ms + RESULT_SHOWN_MS;
  }

  #tick() {
    const { auction } = this;
    if (!auction || this.place.hidden) return;
    if (this.#isPast()) {
      this.place.hidden = true;
      return;
    }
    const open = auction.state === "open";
    $("#auction-clock").hidden = !open;
    const left_ms = open ? showClock(this.place, auction, this.clock.now()) : 0;
    const closed = this.busy || left_ms <= 0;
    this.bidButton.disabled = closed || this.#leads();
    $("#auction-send").disabled = closed;
  }
}
