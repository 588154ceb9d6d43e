/**
 * What the page says, in its language. Every string comes from live/pages/strings.
 */

/** @type {"ko"|"en"} */
export const language = document.documentElement.lang === "en" ? "en" : "ko";
const locale = language === "ko" ? "ko-KR" : "en-GB";

const { default: strings } = await import(`../strings/${language}.js`);

/**
 * The string of a key, its `{names}` replaced by the values.
 * @param {string} key
 * @param {Record<string, string|number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = strings[key];
  if (text === undefined) throw new Error(`no string for ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** @param {string} key @returns {boolean} whether there is a string of that key */
export function hasText(key) {
  return Object.hasOwn(strings, key);
}

/**
 * An amount of money as people write it.
 * @param {number} minor amount in the currency's smallest unit
 * @param {string} currency ISO 4217 code
 * @returns {string}
 */
export function money(minor, currency) {
  const format = new Intl.NumberFormat("ko-KR", { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat(locale);

/** @param {number} count @returns {string} 987, 1.2K or 1.2천 */
export function shortCount(count) {
  return count < 1000 ? plain.format(count) : compact.format(count);
}

/** @param {number} count @returns {string} with thousands separated */
export function fullCount(count) {
  return plain.format(count);
}

/** @param {number} at_ms @returns {string} day, hour and zone of a moment to come */
export function moment(at_ms) {
  return new Intl.DateTimeFormat(locale, {
    month: "long", day: "numeric", weekday: "short", hour: "numeric", minute: "2-digit", timeZoneName: "short",
  }).format(at_ms);
}

/** @param {number} at_ms @returns {string} hour and minute */
export function clockTime(at_ms) {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }).format(at_ms);
}

/** @param {number} offset_ms @returns {string} how far into a show, such as 4:09 or 1:04:09 */
export function timeIn(offset_ms) {
  const seconds = Math.floor(offset_ms / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  const [minutes, rest] = parts.map((part) => String(part).padStart(2, "0"));
  return hours ? `${hours}:${minutes}:${rest}` : `${parts[0]}:${rest}`;
}

/** @param {number} left_ms @returns {string} such as 4:09 */
export function minutesLeft(left_ms) {
  const seconds = Math.max(0, Math.ceil(left_ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {{title: string, options: string[]}} line of an order, or a hold @returns {string} what it is of */
export function lineName({ title, options }) {
  return [title, ...options].join(" · ");
}
