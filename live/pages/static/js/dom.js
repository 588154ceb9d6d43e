/**
 * A few words for building and finding elements. Text is always set as text, never as HTML.
 */

const ICONS = new URL("../images/icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/**
 * The one element of a selector; its absence is a fault of the template.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any}
 */
export function $(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`nothing on this page is ${selector}`);
  return element;
}

/**
 * Build an element. Attributes: `onclick` and the like take functions, true and false set or leave
 * out, null is left out. Children: elements, texts, null.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|number|null|undefined)} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).map((c) => (c instanceof Node ? c : String(c))));
  return element;
}

/** @param {string} name a symbol of icons.svg @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/** Show a text in a place, or hide the place when there is none. @param {HTMLElement} place @param {string} [text] */
export function say(place, text = "") {
  place.textContent = text;
  place.hidden = !text;
}

/** Tell screen readers something that eyes see anyway. @param {string} text */
export function announce(text) {
  $("#announce").textContent = text;
}

/**
 * Make a dialog open and close as sheets do: its close button, Escape and a press beside it.
 * @param {HTMLDialogElement} dialog
 */
export function sheet(dialog) {
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}

/**
 * The fields of a form as trimmed texts; when one is not valid, marks it, moves there and gives null.
 * @param {HTMLFormElement} form
 * @param {(text: string) => void} complain
 * @param {(field: HTMLInputElement) => string} explain
 * @returns {Record<string, string>|null}
 */
export function fieldsOf(form, complain, explain) {
  const fields = [...form.querySelectorAll("input[name], textarea[name]")].filter((field) => !field.closest("[hidden]"));
  for (const field of fields) field.removeAttribute("aria-invalid");
  const wrong = fields.find((field) => !field.checkValidity() || (field.required && !field.value.trim()));
  if (wrong) {
    wrong.setAttribute("aria-invalid", "true");
    wrong.addEventListener("input", () => wrong.removeAttribute("aria-invalid"), { once: true });
    wrong.focus();
    complain(explain(wrong));
    return null;
  }
  return Object.fromEntries(fields.map((field) => [field.name, field.name === "password" ? field.value : field.value.trim()]));
}

/** The picture of a product, or a flower on its own colour. @param {{id: string, picture: string|null}} product */
export function productPicture(product) {
  const place = h("span", { class: "picture" });
  place.style.setProperty("--hue", String(hueOf(product.id)));
  if (product.picture) place.append(h("img", { src: product.picture, alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }));
  return place;
}

/** @param {string} id @returns {number} a hue of its own, from magenta over rose to apricot */
export function hueOf(id) {
  let sum = 7;
  for (const letter of id) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return 325 + (sum % 60);
}
