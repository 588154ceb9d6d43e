/**
 * The server's time on this page, and an auction's clock by it. What is told arrives late, never
 * early, so the farthest-ahead of all times heard is the truest.
 */
import { minutesLeft, t } from "./text.js";

const URGENT_MS = 10_000;

export class ServerClock {
  constructor() {
    /** @type {number|null} what to add to this machine's clock */
    this.ahead_ms = null;
  }

  /** @param {number} now_ms what the server's clock said as it told something */
  heard(now_ms) {
    const ahead_ms = now_ms - Date.now();
    if (this.ahead_ms === null || ahead_ms > this.ahead_ms) this.ahead_ms = ahead_ms;
  }

  /** @returns {number} */
  now() {
    return Date.now() + (this.ahead_ms ?? 0);
  }
}

/** @typedef {{id: string, show: string, product: string, sku: string, title: string, options: string[], quantity: number, currency: string, state: "open"|"won"|"offered"|"unsold"|"cancelled", price_minor: number, minimum_minor: number, bids: number, leader: string|null, leader_name: string|null, starts_at_ms: number, ends_at_ms: number, sudden_death: boolean, version: number, now_ms: number}} Auction */

/**
 * Show an open auction's clock in a place with `[data-clock]` and `[data-clock-label]`.
 * @param {HTMLElement} place
 * @param {Auction} auction
 * @param {number} now_ms the server's time
 * @returns {number} how long it goes on
 */
export function showClock(place, auction, now_ms) {
  const waits = now_ms < auction.starts_at_ms;
  const left_ms = auction.ends_at_ms - now_ms;
  place.querySelector("[data-clock-label]").textContent = t(waits ? "auction.starts_in" : "auction.ends_in");
  place.querySelector("[data-clock]").textContent = minutesLeft(waits ? auction.starts_at_ms - now_ms : left_ms);
  place.classList.toggle("urgent", !waits && left_ms < URGENT_MS);
  return left_ms;
}

/** @param {Auction} auction @returns {string} its lot in words */
export function lotName(auction) {
  const name = [auction.title, ...auction.options].join(" · ");
  return auction.quantity > 1 ? t("auction.lot", { name, count: auction.quantity }) : name;
}
