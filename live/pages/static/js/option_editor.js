/**
 * The options of a product to be: up to three names with their values, and for each combination what
 * it costs, how many there are, and its code. What was typed for a combination stays while the values
 * around it change.
 */
import { $, h, say } from "./dom.js";
import { t } from "./text.js";

const COMBINATIONS_MAX = 100;
const OPTION_MAX_CHARS = 40;
const SEPARATORS = /[,，、]/;
/** The fields of a combination, as inputs; without a price it costs the usual. */
export const FIELDS = {
  price: { type: "number", min: 1, max: 1_000_000_000, step: 1, inputmode: "numeric" },
  stock: { type: "number", min: 0, max: 1_000_000, step: 1, inputmode: "numeric", placeholder: "0" },
  code: { maxlength: 20, pattern: "[\\p{L}\\p{N}]+(-[\\p{L}\\p{N}]+)*", autocapitalize: "characters", autocomplete: "off" },
};

export class OptionEditor {
  /** @param {{changed: (has: boolean) => void, price: () => string}} options whom to tell whether there are options, and the usual price */
  constructor({ changed, price }) {
    this.changed = changed;
    this.price = price;
    this.place = $("#option-editor");
    this.alert = $("[data-option-alert]", this.place);
    /** @type {Map<string, {element: HTMLElement, options: string[], inputs: Record<string, HTMLInputElement>}>} by combination */
    this.rows = new Map();
    this.place.addEventListener("input", (event) => { if ("option" in event.target.dataset) this.show(); });
  }

  /** Forget what was typed. */
  clear() {
    for (const input of this.place.querySelectorAll("input")) input.value = "";
    this.rows.clear();
    this.place.open = false;
    this.show();
  }

  /** Show a line for each combination. */
  show() {
    const options = this.#options();
    const combinations = isFit(options) ? combine(options.map((one) => one.values)) : [];
    const rows = combinations.map((values) => this.#row(values));
    $("#option-skus").replaceChildren(...rows.map((row) => row.element));
    $("#option-table").hidden = rows.length === 0;
    say(this.alert, options.length > 0 && options.every((one) => one.name && one.values.length) && rows.length === 0 ? t("options.check") : "");
    this.changed(options.length > 0);
  }

  /**
   * @param {(text: string) => void} complain
   * @returns {{option_names: string[], skus: any[]}|null|undefined} null: it has no options; undefined: complained of
   */
  read(complain) {
    const options = this.#options();
    if (options.length === 0) return null;
    this.place.open = true;
    if (!isFit(options)) return void complain(t("options.check"));
    const rows = combine(options.map((one) => one.values)).map((values) => this.#row(values));
    const inputs = rows.flatMap((row) => Object.values(row.inputs));
    for (const input of inputs) input.removeAttribute("aria-invalid");
    const wrong = inputs.find((input) => !input.checkValidity());
    if (wrong) {
      wrong.setAttribute("aria-invalid", "true");
      wrong.focus();
      return void complain(t(`sell.check_${wrong.dataset.field}`));
    }
    return { option_names: options.map((one) => one.name), skus: rows.map(sku) };
  }

  #options() {
    const names = [...this.place.querySelectorAll("[data-option=name]")];
    const values = [...this.place.querySelectorAll("[data-option=values]")];
    return names
      .map((input, at) => ({ name: input.value.trim(), values: words(values[at].value) }))
      .filter((one) => one.name || one.values.length);
  }

  #row(values) {
    const key = JSON.stringify(values);
    if (!this.rows.has(key)) this.rows.set(key, row(values));
    const known = this.rows.get(key);
    known.inputs.price.placeholder = this.price();
    return known;
  }
}

/** @param {string} text @returns {string[]} its values, each once */
function words(text) {
  return [...new Set(text.split(SEPARATORS).map((word) => word.trim()).filter(Boolean))];
}

function isFit(options) {
  const names = new Set(options.map((one) => one.name));
  const count = options.reduce((product, one) => product * one.values.length, 1);
  const short = options.every((one) => [one.name, ...one.values].every((word) => word && word.length <= OPTION_MAX_CHARS));
  return short && names.size === options.length && names.size >= 1 && count <= COMBINATIONS_MAX;
}

function combine(lists) {
  return lists.reduce((all, values) => all.flatMap((start) => values.map((value) => [...start, value])), [[]]);
}

function row(options) {
  const name = options.join(" / ");
  const inputs = Object.fromEntries(Object.entries(FIELDS).map(([field, attributes]) => [field, h("input", {
    ...attributes, "data-field": field, "data-test": `option-${field}`, "aria-label": t(`options.${field}_of`, { name }),
  })]));
  const cells = Object.values(inputs).map((input) => h("td", {}, input));
  return { element: h("tr", { "data-test": "option-sku" }, h("th", { scope: "row" }, name), ...cells), options, inputs };
}

function sku({ options, inputs }) {
  const { price, stock, code } = inputs;
  return { options, price_minor: price.value ? Number(price.value) : null, stock: Number(stock.value), code: code.value.trim() || null };
}
