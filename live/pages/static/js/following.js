/**
 * The button that follows a store, and how many do.
 */
import { requireAccount } from "./account.js";
import { api, explain } from "./api.js";
import { say } from "./dom.js";
import { shortCount, t } from "./text.js";

export class FollowButton {
  /** @param {HTMLButtonElement} button @param {HTMLElement} alert where a failure is told */
  constructor(button, alert) {
    this.button = button;
    this.alert = alert;
    this.store = null;
    this.follows = false;
    this.followers = 0;
    button.addEventListener("click", () => this.#press());
  }

  /** The store it is about, or the same again for another person. @param {string} store its slug */
  async load(store) {
    this.store = store;
    const found = await api("GET", this.#path()).catch(() => null);
    if (found) this.#show(found);
  }

  /** It was said elsewhere that this person follows, or no longer. @param {boolean} follows */
  told(follows) {
    if (follows !== this.follows) this.#show({ follows, followers: Math.max(0, this.followers + (follows ? 1 : -1)) });
  }

  async #press() {
    const wanted = !this.follows;
    if (!(await requireAccount(t("follow.sign_in")))) return;
    say(this.alert);
    this.button.disabled = true;
    try {
      this.#show(await api(wanted ? "PUT" : "DELETE", this.#path()));
    } catch (error) {
      say(this.alert, explain(error));
    } finally {
      this.button.disabled = false;
    }
  }

  #path() {
    return `/stores/${encodeURIComponent(this.store)}/following`;
  }

  #show({ follows, followers }) {
    this.follows = follows;
    this.followers = followers;
    this.button.setAttribute("aria-pressed", String(follows));
    const count = followers ? ` ${shortCount(followers)}` : "";
    this.button.textContent = t(follows ? "follow.following" : "follow.follow") + count;
    this.button.hidden = false;
  }
}
