/**
 * Who is signed in here. One answer for the whole page; listeners hear of every change.
 */
import { api, maybeSignedIn, Problem, rememberSignedIn } from "./api.js";
import { language } from "./text.js";

/** @typedef {{id: string, name: string, email: string, stores?: string[]}} Account */

/** @type {Promise<Account|null>|null} */
let current = null;
/** @type {Set<(account: Account|null) => void>} */
const listeners = new Set();

/** @returns {Promise<Account|null>} the account signed in, null for a passer-by */
export function me() {
  current ??= ask();
  return current;
}

/** @param {(account: Account|null) => void} listener called now-or-soon and on every change */
export function onAccount(listener) {
  listeners.add(listener);
  me().then(listener);
}

/** @param {string} email @param {string} password @returns {Promise<Account|null>} */
export async function signIn(email, password) {
  await api("POST", "/sessions", { body: { email, password } });
  return entered();
}

/** @param {string} email @param {string} password @param {string} name @returns {Promise<Account|null>} */
export async function signUp(email, password, name) {
  await api("POST", "/accounts", { body: { email, password, name, locale: language } });
  return entered();
}

/** Be called otherwise. @param {string} name @returns {Promise<Account|null>} */
export async function rename(name) {
  await api("PATCH", "/me", { body: { name } });
  return entered();
}

/** End the session on the server and here. */
export async function signOut() {
  try {
    await api("DELETE", "/sessions");
  } finally {
    rememberSignedIn(false);
    change(Promise.resolve(null));
  }
}

/** Ask the server again, for instance after a store was made. @returns {Promise<Account|null>} */
export function refreshAccount() {
  return change(ask(true));
}

function entered() {
  rememberSignedIn(true);
  return change(ask(true));
}

async function change(next) {
  current = next;
  const account = await next;
  for (const listener of listeners) listener(account);
  return account;
}

async function ask(certain = false) {
  if (!certain && !maybeSignedIn()) return null;
  try {
    const account = await api("GET", "/me");
    rememberSignedIn(true);
    return account;
  } catch (error) {
    if (error instanceof Problem) return null; // without an answer nobody is signed in
    throw error;
  }
}
