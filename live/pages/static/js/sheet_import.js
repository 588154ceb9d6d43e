/**
 * A store's products as a sheet: out as a file, and in again. A sheet that comes in is tried first; the
 * seller sees what it would do, or each line that is wrong, and only then has it done. What was tried is
 * what is done: the file is read once.
 */
import { api, explain, freshKey } from "./api.js";
import { $, h, say } from "./dom.js";
import { fullCount, hasText, t } from "./text.js";

const SHEET_MAX_BYTES = 1024 * 1024;
const FAULTS_SHOWN = 50;

export class SheetImport {
  /** @param {{store: () => string, done: () => Promise<void>}} options `done`: products and units are others now */
  constructor({ store, done }) {
    this.store = store;
    this.done = done;
    this.place = $("#sheet-import");
    this.alert = $("[data-alert]", this.place);
    this.note = $("#sheet-note");
    this.apply = $("#sheet-apply");
    this.file = $("#sheet-file");
    /** @type {{body: Blob, key: string}|null} what was tried, to be done */
    this.sheet = null;
    this.file.addEventListener("change", () => this.#guard(() => this.#choose(this.file.files[0])));
    this.apply.addEventListener("click", () => this.#guard(() => this.#do()));
    $("#sheet-download").addEventListener("click", () => this.#guard(() => this.#download()));
  }

  /** Forget the sheet that was tried. */
  clear() {
    this.sheet = null;
    this.file.value = "";
    this.apply.hidden = true;
    $("#sheet-faults").replaceChildren();
    say(this.note);
    say(this.alert);
  }

  async #choose(file) {
    this.clear();
    if (!file) return;
    if (file.size > SHEET_MAX_BYTES) return say(this.alert, t("sheet.too_large"));
    const body = new Blob([await file.arrayBuffer()], { type: "text/csv" });
    const sheet = { body, key: freshKey() };
    const report = await this.#send(sheet, "?dry_run=true");
    if (report.faults.length) return this.#complain(file.name, report.faults);
    this.sheet = sheet;
    this.apply.hidden = false;
    return say(this.note, t("sheet.would", facts(file.name, report)));
  }

  async #do() {
    const report = await this.#send(this.sheet, "");
    this.clear();
    if (report.faults.length) return this.#complain("", report.faults); // the store was changed meanwhile
    say(this.note, t("sheet.did", facts("", report)));
    return this.done();
  }

  #send({ body, key }, query) {
    return api("POST", `${this.#path()}/import${query}`, { raw: body, key });
  }

  #complain(name, faults) {
    const more = faults.length - FAULTS_SHOWN;
    const lines = faults.slice(0, FAULTS_SHOWN).map((fault) => h("li", { class: "row", "data-test": "sheet-fault" },
      h("strong", {}, t("sheet.line", { line: fullCount(fault.line) })),
      h("span", { class: "row-main" }, [fault.field, why(fault)].filter(Boolean).join(": "))));
    if (more > 0) lines.push(h("li", { class: "row soft" }, t("sheet.more", { count: fullCount(more) })));
    $("#sheet-faults").replaceChildren(...lines);
    say(this.alert, [name, t("sheet.faulty", { count: fullCount(faults.length) })].filter(Boolean).join(" – "));
  }

  /** As a download, which a refusal cannot turn into leaving the page; asking first renews the session. */
  async #download() {
    await api("GET", `${this.#path()}/stock`);
    h("a", { href: `${this.#path()}/sheet`, download: `${this.store()}.csv` }).click();
  }

  #path() {
    return `/stores/${encodeURIComponent(this.store())}`;
  }

  async #guard(action) {
    const controls = [this.file, this.apply];
    for (const control of controls) control.disabled = true;
    say(this.alert);
    try {
      await action();
    } catch (error) {
      say(this.alert, error.code === "malformed" ? t("sheet.unreadable") : explain(error));
    } finally {
      for (const control of controls) control.disabled = false;
    }
  }
}

/** In the page's language; a rule it does not know yet in the server's words. */
function why({ rule, facts: told, detail }) {
  const values = Object.entries(told ?? {}).map(([name, value]) => [name, typeof value === "number" ? fullCount(value) : value]);
  const key = `sheet.rule_${rule}`;
  return hasText(key) ? t(key, Object.fromEntries(values)) : detail;
}

function facts(name, report) {
  return { name, products: fullCount(report.products_added), skus: fullCount(report.skus_added), changed: fullCount(report.skus_changed) };
}
