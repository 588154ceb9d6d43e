/**
 * A show as a card with a cover, or as a line of what comes next.
 */
import { api, Problem } from "./api.js";
import { h, hueOf, icon } from "./dom.js";
import { moment, shortCount, t } from "./text.js";

/** @type {Map<string, Promise<{store_name: string, picture: string|null}>>} */
const stores = new Map();

/**
 * The same shows with what a card needs of their stores: `store_name`, and the `picture` of what is
 * pinned or first on the shelf.
 * @param {any[]} shows
 * @returns {Promise<any[]>}
 */
export function withStores(shows) {
  return Promise.all(shows.map(async (show) => {
    if (!stores.has(show.store)) stores.set(show.store, describe(show.store));
    const { store_name, products } = await stores.get(show.store);
    const wanted = [show.pinned, ...show.lineup].filter(Boolean);
    const shown = products.find((product) => wanted.includes(product.id) && product.picture) ?? products.find((product) => product.picture);
    return { ...show, store_name, picture: shown?.picture ?? null };
  }));
}

async function describe(slug) {
  const path = `/stores/${encodeURIComponent(slug)}`;
  try {
    const [store, { products }] = await Promise.all([api("GET", path), api("GET", `${path}/products`)]);
    return { store_name: store.name, products };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { store_name: slug, products: [] };
  }
}

/** @param {any} show as `withStores` gives it @returns {HTMLElement} */
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

/** @param {any} show as `withStores` gives it @returns {HTMLElement} */
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
  if (show.picture) {
    place.append(h("img", { src: show.picture, alt: "", loading: "lazy", decoding: "async", onerror: (event) => event.target.remove() }));
  }
  return place;
}
