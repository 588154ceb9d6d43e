/**
 * A show as a card with a cover, or as a line of what comes next.
 */
import { h, hueOf, icon } from "./dom.js";
import { moment, shortCount, t } from "./text.js";

/** @param {any} show with `store_name` @returns {HTMLElement} */
export function showCard(show) {
  const live = show.stage === "live";
  return h("li", { class: "show-card", "data-show": show.id },
    h("a", { href: watchUrl(show), "data-test": "show" },
      cover(show),
      h("span", { class: "show-marks" },
        live ? h("span", { class: "badge live" }, "LIVE") : null,
        live ? h("span", { class: "viewers" }, icon("eye"), h("span", { class: "quiet" }, t("watch.viewers")), shortCount(show.viewers)) : null),
      h("span", { class: "show-words" },
        h("strong", { class: "show-title" }, show.title),
        h("span", { class: "show-store" }, live || !show.starts_at_ms ? show.store_name : moment(show.starts_at_ms)))));
}

/** @param {any} show with `store_name` @returns {HTMLElement} */
export function nextRow(show) {
  return h("li", { class: "next" },
    h("a", { href: watchUrl(show) },
      cover(show),
      h("span", { class: "next-words" },
        h("span", { class: "next-when" }, show.starts_at_ms ? moment(show.starts_at_ms) : t("home.soon")),
        h("strong", {}, show.title),
        h("span", { class: "soft" }, show.store_name))));
}

function watchUrl(show) {
  return `/shows/${encodeURIComponent(show.id)}/watch`;
}

function cover(show) {
  const place = h("span", { class: "cover" });
  place.style.setProperty("--hue", String(hueOf(show.id)));
  const product = show.pinned ?? show.lineup[0];
  if (product) {
    const src = `/products/${encodeURIComponent(product)}/picture`;
    place.append(h("img", { src, alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }));
  }
  return place;
}
