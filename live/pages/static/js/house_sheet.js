/**
 * What the seller decides for the whole room, behind one button beside the box: its switches, what
 * viewers reported, and who is sanctioned. Each list is as the server has it, kept up by the room's events.
 */
import { api, explain } from "./api.js";
import { $, h, say, sheet } from "./dom.js";
import { moment, t } from "./text.js";

/** So many deeds the server tells at once. */
const TRAIL_PAGE = 50;

export class HouseSheet {
  /** @param {{show: () => string|undefined, store: () => string|null, open: (said: any) => void}} room its show's id and store; opens what may be done about a message */
  constructor(room) {
    this.room = room;
    this.sheet = sheet($("#house-sheet"));
    this.alert = $("[data-alert]", this.sheet);
    this.form = $("#house-form");
    /** @type {Map<number, any>} */
    this.reports = new Map();
    /** @type {Map<string, any>} by account and kind */
    this.sanctions = new Map();
    /** What the accounts here are called. */
    this.names = {};
    /** @type {string[]} accounts */
    this.moderators = [];
    /** @type {any[]} what was done, newest first */
    this.trail = [];
    $("#house-open").addEventListener("click", () => {
      this.load();
      this.sheet.showModal();
    });
    this.form.addEventListener("change", (event) => this.#switch(event.target));
    $("#trail-more").addEventListener("click", () => this.#act(() => this.#more()));
    $("#unpin").addEventListener("click", () => this.#act(() => this.#post("pin", { message: null })));
  }

  /** Ask the server how everything is. */
  async load() {
    await this.#act(async () => {
      const found = await api("GET", this.#path());
      this.reports = new Map(found.reports.map((report) => [report.id, report]));
      this.sanctions = new Map(found.sanctions.map((one) => [key(one), one]));
      this.names = found.names;
      this.moderators = found.moderators;
      this.trail = found.trail;
      this.#showTrail();
      this.switched(found.settings);
      this.#show();
    });
  }

  /** @param {any} room the switches as they are now */
  switched(room) {
    const { frozen, buyers_only, followers_only, links_allowed, slow_s } = this.form.elements;
    frozen.checked = room.frozen;
    buyers_only.checked = room.buyers_only;
    followers_only.checked = room.followers_only;
    links_allowed.checked = room.links_allowed;
    if (![...slow_s.options].some((option) => option.value === String(room.slow_s))) {
      slow_s.append(h("option", { value: room.slow_s }, t("house.seconds", { seconds: room.slow_s })));
    }
    slow_s.value = String(room.slow_s);
    $("#unpin").hidden = !room.pinned_saying;
  }

  /** @param {any} report */
  reported(report) {
    this.reports.set(report.id, report);
    this.#show();
  }

  /** @param {number} report */
  settled(report) {
    this.reports.delete(report);
    this.#show();
  }

  /** What somebody is called the server knows. @param {any} sanction */
  sanctioned(sanction) {
    const known = this.sanctions.get(key(sanction));
    if (known?.version >= sanction.version) return;
    if (!(sanction.account in this.names)) this.load();
    this.sanctions.set(key(sanction), sanction);
    this.#show();
  }

  /** Somebody moderates from now on, or no longer. */
  appointed() {
    this.load();
  }

  async #more() {
    const oldest = this.trail.at(-1)?.id;
    const found = await api("GET", `${this.#path()}?trail_before=${oldest}`);
    this.names = { ...found.names, ...this.names };
    this.trail.push(...found.trail);
    this.#showTrail(found.trail.length);
  }

  #showTrail(more = this.trail.length) {
    $("#trail").replaceChildren(...this.trail.map((noted) => this.#deed(noted)));
    $("#trail-empty").hidden = this.trail.length > 0;
    $("#trail-more").hidden = more < TRAIL_PAGE;
  }

  #nameOf(account) {
    if (account === "assistant") return t("talk.assistant");
    return this.names[account] ?? account.slice(0, 8);
  }

  #path() {
    return `/shows/${encodeURIComponent(this.room.show())}/moderation`;
  }

  #post(path, body) {
    return api("POST", `${this.#path()}/${path}`, { body });
  }

  async #act(action) {
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, explain(error));
    }
  }

  #switch(field) {
    const value = field.type === "checkbox" ? field.checked : Number(field.value);
    this.#act(() => api("PATCH", this.#path(), { body: { [field.name]: value } }));
  }

  #show() {
    const reports = [...this.reports.values()];
    const holding = [...this.sanctions.values()].filter((one) => !one.lifted && (one.until_ms === null || one.until_ms > Date.now()));
    keep($("#reports"), reports, (report) => String(report.id), (report) => this.#report(report));
    $("#reports-empty").hidden = reports.length > 0;
    keep($("#sanctions"), holding, (one) => `${key(one)} ${one.version} ${this.names[one.account]}`, (one) => this.#sanction(one));
    keep($("#moderators"), this.moderators, (account) => `${account} ${this.names[account]}`, (account) => this.#moderator(account));
    $("#moderators-empty").hidden = this.moderators.length > 0;
    $("#sanctions-empty").hidden = holding.length > 0;
    const dot = $("#reports-count");
    dot.textContent = String(reports.length);
    dot.hidden = reports.length === 0;
  }

  #report(report) {
    const said = { id: report.message, text: report.text, from: { id: report.author, name: report.name } };
    return h("li", { class: "row house-row", "data-test": "report" },
      h("span", { class: "row-main" }, h("strong", {}, report.name), h("span", {}, report.text), report.reason ? h("span", { class: "soft" }, report.reason) : null),
      h("button", { class: "secondary small", type: "button", "data-test": "report-act", onclick: () => this.room.open(said) }, t("house.act")),
      h("button", { class: "plain small", type: "button", "data-test": "report-settle", onclick: () => this.#act(() => this.#post("settle", { report: report.id })) }, t("house.settle")));
  }

  #moderator(account) {
    const path = `/stores/${encodeURIComponent(this.room.store())}/moderators/${encodeURIComponent(account)}`;
    return h("li", { class: "row house-row", "data-test": "moderator" },
      h("span", { class: "row-main" }, h("strong", {}, this.#nameOf(account))),
      h("button", { class: "secondary small", type: "button", "data-test": "dismiss", onclick: () => this.#act(() => api("DELETE", path)) }, t("house.dismiss")));
  }

  #deed({ deed }) {
    const whom = deed.whom ? ` → ${this.#nameOf(deed.whom)}` : "";
    const more = [deed.detail, deed.reason].filter(Boolean).join(" · ");
    return h("li", { class: "row house-row", "data-test": "trail" },
      h("span", { class: "row-main" }, h("strong", {}, `${t(`house.did_${deed.what}`)}${whom}`),
        more ? h("span", {}, more) : null,
        h("span", { class: "soft" }, `${this.#nameOf(deed.actor)} · ${moment(deed.at_ms)}`)));
  }

  #sanction({ account, kind, until_ms }) {
    const name = this.#nameOf(account);
    const lift = () => this.#act(() => this.#post("lift", { account, kind }));
    return h("li", { class: "row house-row", "data-test": "sanction" },
      h("span", { class: "row-main" }, h("strong", {}, name),
        h("span", { class: "soft" }, t(`house.kind_${kind}`), " · ", until_ms === null ? t("house.for_ever") : t("house.until", { when: moment(until_ms) }))),
      h("button", { class: "secondary small", type: "button", "data-test": "lift", onclick: lift }, t("house.lift")));
  }
}

/** Show exactly these; a row that is there already stays, as a finger may be on its way to it. */
function keep(list, items, nameOf, render) {
  const rows = new Map([...list.children].map((row) => [row.dataset.row, row]));
  const names = items.map(nameOf);
  for (const [name, row] of rows) if (!names.includes(name)) row.remove();
  for (const [at, name] of names.entries()) {
    if (rows.has(name)) continue;
    const row = render(items[at]);
    row.dataset.row = name;
    list.append(row);
  }
}

function key({ account, kind }) {
  return `${account} ${kind}`;
}
