/**
 * What may be done about a message: reported by viewers, and by the seller and moderators deleted,
 * pinned, or its author silenced. Nobody acts against the seller, no moderator against another;
 * the server judges, this is what is offered.
 */
import { requireAccount } from "./account.js";
import { api, explain, freshKey } from "./api.js";
import { $, h, icon, say, sheet } from "./dom.js";
import { t } from "./text.js";

const DONE_SHOWN_MS = 3_000;
const MUTES_S = { mute_1: 60, mute_10: 600 };
const APPOINTS = { appoint: "PUT", dismiss: "DELETE" };
const DEED_ICONS = { appoint: "person", dismiss: "person", pin: "pin", report: "flag", delete: "bin", mute_1: "mute", mute_10: "mute", ban: "ban", shadow_ban: "ban" };

/** @param {any} person as the room tells it @returns {0|1|2} a viewer, a moderator, the seller */
export function rank(person) {
  if (person?.seller) return 2;
  return person?.moderator ? 1 : 0;
}

/** @param {any} said @param {any} you @returns {string[]} what this person may do about it */
export function deedsFor(said, you) {
  const own = you?.id === said.from.id;
  if (said.private) return [];
  if (rank(you) === 0) return own ? [] : ["report"];
  const below = !own && rank(said.from) < rank(you);
  const person = below && !said.from.assistant;
  const appoint = said.from.moderator ? "dismiss" : "appoint";
  return ["pin", ...(own || below ? ["delete"] : []), ...(person ? ["mute_1", "mute_10", "ban", "shadow_ban"] : []),
    ...(person && rank(you) === 2 ? [appoint] : [])];
}

/** @returns {["POST"|"PUT"|"DELETE", string, any?]} method, path and body */
function request(deed, said, show, store) {
  const room = `/shows/${encodeURIComponent(show)}/moderation`;
  if (["pin", "delete", "report"].includes(deed)) return ["POST", `${room}/${deed}`, { message: said.id }];
  if (deed in APPOINTS) return [APPOINTS[deed], `/stores/${encodeURIComponent(store)}/moderators/${encodeURIComponent(said.from.id)}`];
  const seconds = MUTES_S[deed] ?? null;
  return ["POST", `${room}/sanction`, { account: said.from.id, kind: seconds ? "mute" : deed, seconds }];
}

/** The sheet of a message. */
export class DeedSheet {
  /** @param {{show: () => string, store: () => string, you: () => any}} room its show's id and store, and who this is in it */
  constructor(room) {
    this.room = room;
    this.sheet = sheet($("#deed-sheet"));
    this.alert = $("[data-alert]", this.sheet);
  }

  /** Offer what may be done about a message. @param {any} said */
  open(said) {
    const deeds = deedsFor(said, this.room.you());
    if (deeds.length === 0) return;
    say(this.alert);
    $("#deed-name").textContent = said.from.name;
    $("#deed-text").textContent = said.text;
    $("#deeds").replaceChildren(...deeds.map((deed) => this.#button(deed, said)));
    this.sheet.showModal();
  }

  /** What may be done has changed: a message is to be chosen again. */
  close() {
    this.sheet.close();
  }

  #button(deed, said) {
    return h("button", { class: "deed", type: "button", "data-test": `deed-${deed}`, onclick: () => this.#do(deed, said) },
      icon(DEED_ICONS[deed]), h("span", {}, t(`deed.${deed}`)));
  }

  async #do(deed, said) {
    if (!(await requireAccount(t("deed.sign_in")))) return;
    const [method, path, body] = request(deed, said, this.room.show(), this.room.store());
    try {
      await api(method, path, { body, key: freshKey() });
    } catch (error) {
      say(this.alert, explain(error));
      return;
    }
    this.sheet.close();
    tellDone(t(`deed.done_${deed}`, { name: said.from.name }));
  }
}

let doneUntil = 0;

/** Tell for a moment that something is done. @param {string} text */
export function tellDone(text) {
  say($("#deed-done"), text);
  clearTimeout(doneUntil);
  doneUntil = setTimeout(() => say($("#deed-done")), DONE_SHOWN_MS);
}
