/**
 * The JSON API. Cookies carry the session; a stale one is renewed once and the request repeated.
 * A request with an idempotency key is repeated, with the same key, when the network fails.
 */
import { hasText, t } from "./text.js";

const ATTEMPTS = 3;
const SIGNED_IN = "kkot.signed_in";

/** What the server refused, as problem+json tells it. `code` is "network" when it was not reached. */
export class Problem extends Error {
  /** @param {number} status @param {string} code @param {Record<string, any>} [facts] */
  constructor(status, code, facts = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

/** @returns {string} a fresh idempotency key: 128 random bits */
export function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} error @returns {string} what to tell the visitor */
export function explain(error) {
  if (!(error instanceof Problem)) throw error;
  const key = `problem.${error.code}`;
  return hasText(key) ? t(key, error.facts) : t("problem.unknown", { code: error.code });
}

/** @param {boolean} yes keep in mind that this browser has a session worth renewing */
export function rememberSignedIn(yes) {
  if (yes) localStorage.setItem(SIGNED_IN, "1");
  else localStorage.removeItem(SIGNED_IN);
}

/** @returns {boolean} whether asking who is signed in is worth a request */
export function maybeSignedIn() {
  return "session" in document.documentElement.dataset || localStorage.getItem(SIGNED_IN) === "1";
}

/**
 * @param {"GET"|"POST"|"PUT"|"PATCH"|"DELETE"} method
 * @param {string} path
 * @param {{body?: any, key?: string, raw?: Blob}} [options] `body` is sent as JSON, `raw` as it is
 * @returns {Promise<any>} the answer's JSON, null for 204
 */
export async function api(method, path, { body, key, raw } = {}) {
  const headers = { Accept: "application/json" };
  if (key) headers["Idempotency-Key"] = key;
  if (raw) headers["Content-Type"] = raw.type || "application/octet-stream";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)), cache: "no-store" };
  const attempts = key || method === "GET" ? ATTEMPTS : 1;
  let response = await send(path, request, attempts);
  if (response.status === 401 && !isDoor(path) && (await renewSession())) response = await send(path, request, attempts);
  return read(response);
}

/** @type {Promise<boolean>|null} */
let renewing = null;

/**
 * Renew the session by its refresh cookie. Never twice at once, not even in two tabs: a refresh
 * cookie used twice ends the session.
 * @returns {Promise<boolean>} whether there is a session now
 */
export function renewSession() {
  if (!maybeSignedIn()) return Promise.resolve(false);
  const renew = () => send("/sessions/refresh", { method: "POST", headers: { Accept: "application/json" } }, 1);
  renewing ??= (navigator.locks ? navigator.locks.request("kkot.session", renew) : renew())
    .then((response) => {
      if (response.status === 401) rememberSignedIn(false);
      return response.ok;
    })
    .catch(() => false)
    .finally(() => { renewing = null; });
  return renewing;
}

function isDoor(path) {
  return path === "/accounts" || path.startsWith("/sessions");
}

async function send(path, request, attempts) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(path, request);
    } catch {
      if (attempt >= attempts) throw new Problem(0, "network");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000 * 2 ** attempt));
    }
  }
}

async function read(response) {
  if (response.status === 204) return null;
  const data = await response.json().catch(() => null);
  if (response.ok && data !== null) return data;
  const { code, type, title, status, detail, ...facts } = data ?? {};
  throw new Problem(response.status, code ?? `http_${response.status}`, facts);
}
