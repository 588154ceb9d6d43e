/**
 * The home page: what is live now, and what comes next.
 */
import "./account.js";
import { api, explain } from "./api.js";
import { $, h, say } from "./dom.js";
import { nextRow, showCard, withStores } from "./show_card.js";

const REFRESH_MS = 30_000;
const LIVE_MAX = 24;
const NEXT_MAX = 12;

async function draw() {
  try {
    const { shows } = await api("GET", "/shows");
    const live = shows.filter((show) => show.stage === "live").sort((a, b) => b.viewers - a.viewers).slice(0, LIVE_MAX);
    const next = shows.filter((show) => show.stage === "scheduled").sort(byStart).slice(0, NEXT_MAX);
    const [liveCards, nextRows] = await Promise.all([withStores(live), withStores(next)]);
    keepFocus(() => {
      $("#live").replaceChildren(...liveCards.map(showCard));
      $("#next").replaceChildren(...nextRows.map(nextRow));
    });
    $("#live-empty").hidden = live.length > 0;
    $("#next-section").hidden = next.length === 0;
    say($("#home-alert"));
  } catch (error) {
    say($("#home-alert"), explain(error));
  } finally {
    $("#live-section").removeAttribute("aria-busy");
  }
}

/** A refreshed list must not take the keyboard's place away. */
function keepFocus(change) {
  const href = document.activeElement?.getAttribute("href");
  const inside = document.activeElement?.closest("#live, #next");
  change();
  if (inside && href) inside.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus();
}

function byStart(a, b) {
  return (a.starts_at_ms ?? Infinity) - (b.starts_at_ms ?? Infinity);
}

/** Places for cards until they come, so that nothing jumps. */
function skeleton() {
  $("#live").replaceChildren(...Array.from({ length: 2 }, () => h("li", { class: "show-card skeleton", "aria-hidden": true }, h("span", { class: "cover" }))));
}

skeleton();
draw();
setInterval(() => { if (!document.hidden) draw(); }, REFRESH_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) draw(); });
