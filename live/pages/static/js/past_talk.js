/**
 * What was said in a show that is over, from its beginning on, a page at a time; the seller and
 * moderators see what was deleted too.
 */
import { api, explain } from "./api.js";
import { $, h, say, sheet } from "./dom.js";
import { roleOf, speaker } from "./talk.js";
import { clockTime, t, timeIn } from "./text.js";

export class PastTalk {
  /**
   * @param {string} show
   * @param {{moderates: () => boolean, chosen: (said: any) => void}} options `chosen` is called with a message that is tapped
   */
  constructor(show, { moderates, chosen }) {
    this.show = show;
    this.moderates = moderates;
    this.chosen = chosen;
    this.dialog = sheet($("#past-talk"));
    this.list = $("[data-list]", this.dialog);
    this.more = $("[data-more]", this.dialog);
    this.more.addEventListener("click", () => this.#load());
  }

  /** Open it at the show's beginning. */
  open() {
    this.dialog.showModal();
    return this.#begin();
  }

  /** The room tells who somebody is: who moderates sees more. */
  welcomed() {
    if (this.dialog.open && this.whole !== this.moderates()) this.#begin();
  }

  /** A message is deleted. @param {string} id */
  remove(id) {
    const line = this.list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (line && !this.whole) line.remove();
    else line?.classList.add("gone");
  }

  #begin() {
    this.whole = this.moderates();
    this.round = (this.round ?? 0) + 1;
    this.next = "";
    this.list.replaceChildren();
    say($("[data-alert]", this.dialog));
    $("[data-none]", this.dialog).hidden = true;
    return this.#load();
  }

  async #load() {
    this.more.disabled = true;
    const place = `/shows/${encodeURIComponent(this.show)}${this.whole ? "/moderation" : ""}/chat`;
    const { next: after, round } = this;
    try {
      const page = await api("GET", after ? `${place}?after=${encodeURIComponent(after)}` : place);
      if (round !== this.round) return; // it was begun anew meanwhile
      const lines = page.messages.map((said) => this.#line(said));
      this.list.append(...lines);
      this.next = page.next;
      this.more.hidden = !page.next;
      $("[data-none]", this.dialog).hidden = this.list.childElementCount > 0;
      say($("[data-alert]", this.dialog));
      if (after) lines[0]?.querySelector("button").focus();
    } catch (error) {
      if (round !== this.round) return;
      say($("[data-alert]", this.dialog), explain(error));
      this.more.hidden = false;
    } finally {
      this.more.disabled = false;
    }
  }

  #line(said) {
    const role = roleOf(said.from) ?? "";
    const hidden = said.deleted ? "past.deleted" : said.shadowed ? "past.shadowed" : null;
    const when = said.offset_ms === null || said.offset_ms < 0 ? clockTime(said.at_ms) : timeIn(said.offset_ms);
    const told = [
      h("span", { class: "past-when" }, when),
      ...speaker(said.from),
      hidden ? h("span", { class: "said-role helper" }, t(hidden)) : null,
      h("span", { class: "said-text" }, said.text),
    ];
    const choose = () => {
      this.dialog.close();
      this.chosen(said);
    };
    return h("li", { class: `past ${role} ${said.deleted ? "gone" : ""}`, "data-id": said.id, "data-test": "past-said" },
      h("button", { type: "button", onclick: choose }, ...told));
  }
}
