/**
 * The deals of a show as the server last told them, and what they make its products cost. Which
 * state a deal is in follows from the server's time, so a countdown needs no word at its end.
 */

/** @typedef {{id: string, show: string, product: string, kind: "live"|"flash", state: "announced"|"running"|"ended"|"cancelled", price_minor: number|null, percent_off: number|null, skus: string[], units: number|null, taken: number, limit_per_buyer: number|null, shuts: boolean, starts_at_ms: number|null, ends_at_ms: number|null, version: number}} Deal */

const OPEN = ["announced", "running"];
const TICK_MS = 250;

export class Deals {
  /** @param {{moved: () => void, ticked: () => void}} options a deal started or ended by the clock; one counts down */
  constructor({ moved, ticked }) {
    /** @type {Map<string, Deal>} */
    this.known = new Map();
    this.ahead_ms = -Infinity;
    let states = "";
    setInterval(() => {
      const before = states;
      states = this.#states();
      if (states !== before) moved();
      else if (this.#ticking()) ticked();
    }, TICK_MS);
  }

  /** Know exactly what a welcome tells. @param {any[]} offers */
  replace(offers) {
    this.known.clear();
    for (const event of offers) if (event.type === "deal") this.apply(event);
  }

  /** Take a `deal` event, unless something newer is known. @param {{deal: Deal, now_ms: number}} event @returns {boolean} whether it was news */
  apply({ deal, now_ms }) {
    // What is told late tells of an earlier time than it is: the latest guess is the truest.
    this.ahead_ms = Math.max(this.ahead_ms, now_ms - Date.now());
    if (this.known.get(deal.id)?.version >= deal.version) return false;
    this.known.set(deal.id, deal);
    return true;
  }

  /** @returns {number} the server's time */
  now() {
    return Date.now() + (Number.isFinite(this.ahead_ms) ? this.ahead_ms : 0);
  }

  /** The deal that has a say in what a product costs, as it is now. @param {string} product @returns {Deal|null} */
  of(product) {
    const now_ms = this.now();
    const theirs = [...this.known.values()].filter((deal) => deal.product === product).map((deal) => at(deal, now_ms));
    return theirs.find((deal) => OPEN.includes(deal.state)) ?? theirs.find((deal) => deal.state === "ended" && deal.shuts) ?? null;
  }

  /**
   * A product as it is sold in the show now, its deal beside it.
   * @template {import("./shelf.js").Product} P
   * @param {P|null} product
   * @returns {(P & {deal?: Deal, was_minor?: number|null, shut?: boolean})|null} `was_minor`: what it costs otherwise; `shut`: it, or a SKU of it, is not sold now
   */
  priced(product) {
    const deal = product && this.of(product.id);
    if (!deal) return product;
    const prices = product.skus.map((sku) => price(deal, sku));
    const skus = product.skus.map((sku, place) => ({ ...sku, price_minor: prices[place] ?? sku.price_minor, shut: prices[place] === null }));
    const price_minor = Math.min(...skus.map((sku) => sku.price_minor));
    const was_minor = price_minor < product.price_minor ? product.price_minor : null;
    return { ...product, skus, price_minor, was_minor, deal, shut: prices.every((one) => one === null) };
  }

  #states() {
    const now_ms = this.now();
    return [...this.known.values()].map((deal) => at(deal, now_ms).state).join();
  }

  #ticking() {
    const lately_ms = this.now() - 1_000;
    return [...this.known.values()].some((deal) => OPEN.includes(deal.state) && (deal.ends_at_ms ?? deal.starts_at_ms ?? 0) > lately_ms);
  }
}

/** @param {Deal} deal @param {number} now_ms @returns {Deal} as it is at that time, its clock alone considered */
export function at(deal, now_ms) {
  let { state } = deal;
  if (state === "announced" && reached(deal.starts_at_ms, now_ms)) state = "running";
  if (state === "running" && reached(deal.ends_at_ms, now_ms)) state = "ended";
  return state === deal.state ? deal : { ...deal, state };
}

/** What a unit of a SKU costs in its show while a deal has a say; null: it is not sold. */
function price(deal, { id, price_minor }) {
  if (deal.state === "announced" || (deal.skus.length > 0 && !deal.skus.includes(id))) return price_minor;
  if (deal.state === "ended" || left(deal) === 0) return deal.shuts ? null : price_minor;
  return reduced(deal, price_minor);
}

/** @param {Deal} deal @returns {number|null} units that may still be had at its price; null: no limit */
export function left(deal) {
  return deal.units === null ? null : deal.units - deal.taken;
}

/** @param {Deal} deal @param {number} own_minor @returns {number} what costs `own_minor` costs in the deal */
export function reduced(deal, own_minor) {
  if (deal.price_minor !== null) return Math.min(own_minor, deal.price_minor);
  return Math.max(1, Math.floor((own_minor * (100 - deal.percent_off)) / 100));
}

function reached(moment_ms, now_ms) {
  return moment_ms !== null && moment_ms <= now_ms;
}
