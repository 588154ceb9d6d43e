/**
 * The talk of a room: what was said, newest last and bounded, and the box to say something.
 */
import { requireAccount } from "./account.js";
import { $, h, say } from "./dom.js";
import { clockTime, hasText, t } from "./text.js";

const SHOWN_MAX = 100;
const NEAR_BOTTOM_PX = 80;
const THINNED_SHOWN_MS = 3_000;

/** The list of what was said. */
export class TalkList {
  /**
   * @param {HTMLElement} list
   * @param {(said: any) => void} chosen called with a message that is tapped
   * @param {import("./answers.js").Answers} answers what was answered
   */
  constructor(list, chosen, answers) {
    this.list = list;
    this.answers = answers;
    this.seen = new Set();
    /** @type {WeakMap<Element, any>} */
    this.said = new WeakMap();
    const choose = (element) => element && chosen(this.said.get(element));
    list.addEventListener("click", (event) => choose(event.target.closest(".said")));
    list.addEventListener("keydown", (event) => {
      const at = event.target.closest(".said");
      if (event.key === "Enter") choose(at);
      if (!["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      const up = at ? at.previousElementSibling : list.lastElementChild;
      (event.key === "ArrowUp" ? up : at?.nextElementSibling)?.focus();
    });
  }

  /** Show exactly these, as after joining. @param {any[]} talk */
  replace(talk) {
    this.seen = new Set(talk.map((said) => said.id));
    this.list.replaceChildren(...talk.slice(-SHOWN_MAX).map((said) => this.#line(said)));
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** Take one away, for good: it does not come back. @param {string} id */
  remove(id) {
    this.seen.add(id);
    this.#lineOf(id)?.remove();
  }

  /** A question was answered, or its answer taken back. @param {string} id @returns {any} what was asked, if it is still shown */
  answered(id) {
    const line = this.#lineOf(id);
    const said = line && this.said.get(line);
    if (!said) return null;
    const follow = this.#atBottom();
    line.replaceWith(this.#line(said));
    if (follow) this.list.scrollTop = this.list.scrollHeight;
    return said;
  }

  /** Show one more; an old one makes room. @param {any} said */
  add(said) {
    if (this.seen.has(said.id)) return;
    this.seen.add(said.id);
    const follow = this.#atBottom();
    this.list.append(this.#line(said));
    while (this.list.childElementCount > SHOWN_MAX) {
      const oldest = this.list.firstElementChild;
      this.seen.delete(oldest.dataset.id);
      oldest.remove();
    }
    if (follow) this.list.scrollTop = this.list.scrollHeight;
  }

  #lineOf(id) {
    return [...this.list.children].find((line) => line.dataset.id === id);
  }

  #atBottom() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_BOTTOM_PX;
  }

  #line(said) {
    const line = render(said, this.answers.of(said.id));
    this.said.set(line, said);
    return line;
  }
}

/** @param {any} from who said something @returns {"seller"|"moderator"|"buyer"|null} what they are to others */
export function roleOf({ seller, moderator, buyer }) {
  return seller ? "seller" : moderator ? "moderator" : buyer ? "buyer" : null;
}

/** @param {any} from who said something @returns {(Node|null)[]} their name and what they are */
export function speaker(from) {
  const role = roleOf(from);
  return [
    h("span", { class: "said-name" }, from.assistant ? t("site.name") : from.name),
    role ? h("span", { class: "said-role" }, t(`talk.${role}`)) : null,
    from.assistant ? h("span", { class: "said-role helper" }, t("talk.assistant")) : null,
  ];
}

function render(said, answer) {
  const role = roleOf(said.from);
  return h("li", { class: role ? `said ${role}` : "said", "data-id": said.id, "data-test": "said", title: clockTime(said.at_ms), tabindex: "-1" },
    ...speaker(said.from),
    said.private ? h("span", { class: "said-role helper" }, t("talk.private")) : null,
    said.question && !answer ? h("span", { class: "said-role helper", "data-test": "said-question" }, t("ask.question")) : null,
    answer ? h("span", { class: "said-role done", "data-test": "said-answered" }, t(`ask.${answer.state}`)) : null,
    h("span", { class: "said-text" }, said.text),
    answer?.answer ? h("span", { class: "said-answer", "data-test": "said-answer" }, answer.answer) : null);
}

/**
 * Let the form say things in the room. Somebody not signed in is asked to, and then it is said.
 * @param {() => import("./room.js").Room|null} room the room of the moment
 * @param {import("./house.js").House} house
 * @param {import("./ask.js").Ask} [ask] makes a message a question
 */
export function sayBox(room, house, ask) {
  const form = $("#say-form");
  const field = form.elements.text;
  const alert = $("#talk-alert");
  field.addEventListener("input", () => say(alert));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text || !(await requireAccount(t("talk.sign_in")))) return;
    field.value = "";
    say(alert);
    field.focus();
    const question = ask?.take() ?? null;
    const refused = await room()?.say(text, question);
    if (!refused) {
      if (question) ask.sent();
      house.spoke();
      return;
    }
    if (question) ask.restore(question);
    const key = `talk.refused_${refused.reason}`;
    if (!house.refused(refused)) say(alert, t(hasText(key) ? key : "talk.refused_malformed"));
    if (!field.value) field.value = text;
  });
}

let thinnedUntil = 0;

/**
 * Tell in the talk's place how much of the talk is shown while there is too much of it.
 * @param {{said: number, shown: number}} rate of the last second
 */
export function showThinned(rate) {
  const place = $("#thinned");
  say(place, t("talk.thinned", { share: Math.max(1, Math.round((100 * rate.shown) / rate.said)) }));
  clearTimeout(thinnedUntil);
  thinnedUntil = setTimeout(() => say(place), THINNED_SHOWN_MS);
}

/**
 * Tell in the talk's place how the connection is.
 * @param {string} state one of Room's
 */
export function showConnection(state) {
  const texts = { waiting: t("talk.reconnecting"), gone: t("talk.gone"), dismissed: t("talk.dismissed") };
  say($("#connection"), texts[state] ?? "");
}
