/**
 * The rules of the room as they bind the person before it, told beside the box to say something:
 * why nothing may be said, and until when. Of two versions of the switches or of a sanction the
 * higher holds. The seller and moderators are told the same and bound by nothing.
 */
import { $, say } from "./dom.js";
import { rank } from "./deeds.js";
import { minutesLeft, t } from "./text.js";

/** How a sanction is told, the graver first; a shadow ban is told nobody. */
const SANCTIONS = { ban: "banned", mute: "muted" };
const OPEN = { slow_s: 0, buyers_only: false, followers_only: false, links_allowed: false, frozen: false, pinned_saying: null, version: 0 };

/** @typedef {{reason: string, until_ms: number|null, silences: boolean}} Bond */

export class House {
  constructor() {
    this.place = $("#house");
    this.form = $("#say-form");
    /** The room's switches. */
    this.room = OPEN;
    /** @type {any} who this is in the room, null for a passer-by */
    this.you = null;
    this.sanctions = new Map();
    this.free_at_ms = 0;
    this.skew_ms = 0;
    this.timer = 0;
  }

  /** A fresh snapshot. @param {any} welcome */
  welcome(welcome) {
    if (welcome.you?.id !== this.you?.id) this.free_at_ms = 0;
    this.you = welcome.you;
    this.sanctions = new Map(this.you?.sanctions.map((one) => [one.kind, one]));
    this.skew_ms = welcome.now_ms - Date.now();
    this.room = welcome.room;
    this.#show();
  }

  /** The switches changed. @param {any} room */
  switched(room) {
    if (room.version <= this.room.version) return;
    this.room = room;
    this.#show();
  }

  /** Somebody moderates from now on, or no longer. @param {any} event @returns {boolean} whether it is this person */
  appointed({ account, moderates }) {
    if (account !== this.you?.id) return false;
    this.you = { ...this.you, moderator: moderates };
    this.#show();
    return true;
  }

  /** Somebody is sanctioned, or no longer. @param {any} sanction */
  sanctioned(sanction) {
    const known = this.sanctions.get(sanction.kind);
    if (sanction.account !== this.you?.id || known?.version >= sanction.version) return;
    this.sanctions.set(sanction.kind, sanction);
    this.#show();
  }

  /** Whether the place beside the box tells of this refusal. @param {{reason: string, until_ms: number|null}} refusal */
  refused({ reason, until_ms }) {
    const kind = Object.keys(SANCTIONS).find((one) => SANCTIONS[one] === reason);
    if (kind && !this.#holds(this.sanctions.get(kind))) {
      this.sanctions.set(kind, { until_ms, version: this.sanctions.get(kind)?.version ?? 0 });
    }
    if (reason === "slow" && until_ms) this.free_at_ms = until_ms;
    this.#show();
    return this.#bonds().some((bond) => bond.reason === reason);
  }

  /** This person said something: in slow mode the next must wait. */
  spoke() {
    this.free_at_ms = this.#now() + this.room.slow_s * 1000;
    this.#show();
  }

  #now() {
    return Date.now() + this.skew_ms;
  }

  #holds(sanction) {
    return Boolean(sanction) && !sanction.lifted && (sanction.until_ms === null || sanction.until_ms > this.#now());
  }

  /** @returns {Bond[]} what binds now: one that silences stands alone */
  #bonds() {
    for (const [kind, reason] of Object.entries(SANCTIONS)) {
      const sanction = this.sanctions.get(kind);
      if (this.#holds(sanction)) return [{ reason, until_ms: sanction.until_ms, silences: true }];
    }
    if (this.room.frozen) return [{ reason: "frozen", until_ms: null, silences: true }];
    const bonds = [];
    if (this.room.buyers_only) bonds.push({ reason: "buyers_only", until_ms: null, silences: false });
    if (this.room.followers_only) bonds.push({ reason: "followers_only", until_ms: null, silences: false });
    if (this.room.slow_s) bonds.push({ reason: "slow", until_ms: this.free_at_ms > this.#now() ? this.free_at_ms : null, silences: false });
    return bonds;
  }

  #show() {
    clearTimeout(this.timer);
    const bonds = this.#bonds();
    const until_ms = bonds.find((bond) => bond.until_ms)?.until_ms ?? null;
    say($("[data-why]", this.place), bonds.map(({ reason }) => t(`house.${reason}`, { seconds: this.room.slow_s })).join(" "));
    say($("[data-left]", this.place), until_ms ? minutesLeft(until_ms - this.#now()) : "");
    this.place.hidden = bonds.length === 0;
    this.#bind(rank(this.you) === 0 ? bonds : []);
    this.#pin();
    if (until_ms) this.timer = setTimeout(() => this.#show(), ((until_ms - this.#now()) % 1000) + 20);
  }

  #bind(bonds) {
    const silenced = bonds.some((bond) => bond.silences);
    this.form.elements.text.disabled = silenced;
    $("[data-test=send]", this.form).disabled = silenced || bonds.some((bond) => bond.until_ms);
  }

  #pin() {
    const pinned = this.room.pinned_saying;
    const place = $("#pinned-saying");
    place.hidden = !pinned;
    say($("[data-name]", place), pinned?.name);
    say($("[data-text]", place), pinned?.text);
  }
}
