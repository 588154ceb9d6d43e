/**
 * A store's page: its story, what it shows, and its products to buy.
 */
import "./account.js";
import { Answers, AnswersView } from "./answers.js";
import { api, explain, Problem } from "./api.js";
import { $, say } from "./dom.js";
import { Checkout } from "./hold.js";
import { ProductRows, ProductView } from "./products.js";
import { onAccount } from "./session.js";
import { Shelf } from "./shelf.js";
import { showCard, withStores } from "./show_card.js";
import { money, t } from "./text.js";
import { Waits } from "./waits.js";

const REFRESH_MS = 15_000;
const slug = decodeURIComponent(location.pathname.split("/")[2]);
const here = `/stores/${encodeURIComponent(slug)}`;
const shelf = new Shelf();
const checkout = new Checkout({
  alert: $("#store-alert"),
  changed: show,
  product: (id) => shelf.get(id),
  waits: () => waits,
});
const waits = new Waits({
  alert: $("#store-alert"),
  changed: show,
  held: () => checkout.load(),
  take: (id) => checkout.buyById(id),
});
const answers = new Answers();
const rows = new ProductRows($("#products"), (product) => new ProductView(product, {
  buy,
  waits,
  foot: new AnswersView(product.id, answers, { welcomed: false }),
}));

async function buy(product) {
  await checkout.buy(product);
  await loadProducts();
}

function show() {
  rows.show(shelf.all());
  checkout.options.follow((id) => shelf.get(id));
  for (const view of rows.views.values()) view.setMine(checkout.has(view.product.id));
}

async function loadProducts() {
  const { products } = await api("GET", `${here}/products`);
  for (const product of products) shelf.put(product);
  show();
  $("#products-empty").hidden = products.length > 0;
  $("#store-products-section").removeAttribute("aria-busy");
}

async function load() {
  const [store, { shows }] = await Promise.all([api("GET", here), api("GET", "/shows"), loadProducts()]);
  document.title = `${store.name} · ${t("site.name")}`;
  $("#store-name").textContent = store.name;
  $("#store-story").textContent = store.story ?? "";
  $("#store-delivery").textContent = deliveryTerms(store);
  $("#store-basket").href = `${here}/basket`;
  const ours = shows.filter((one) => one.store === slug && ["live", "scheduled"].includes(one.stage));
  ours.sort((a, b) => Number(b.stage === "live") - Number(a.stage === "live"));
  $("#store-shows").replaceChildren(...(await withStores(ours)).map(showCard));
  $("#store-live-section").hidden = ours.length === 0;
}

function deliveryTerms({ delivery, currency }) {
  if (!delivery) return "";
  const say = (minor) => money(minor, currency);
  const free = delivery.free_from_minor && delivery.fee_minor ? t("delivery.free_from", { amount: say(delivery.free_from_minor) }) : null;
  const far = delivery.remote_fee_minor ? t("checkout.far", { amount: say(delivery.remote_fee_minor) }) : null;
  const fee = delivery.fee_minor ? t("delivery.fee", { amount: say(delivery.fee_minor) }) : t("delivery.free");
  const days = t("delivery.days", { least: delivery.days_least, most: delivery.days_most });
  return [fee, free, far, days].filter(Boolean).join(" · ");
}

async function guard(action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem && error.status === 404) $("#store-name").textContent = t("store.gone");
    say($("#store-alert"), explain(error));
  }
}

guard(load);
setInterval(() => { if (!document.hidden) guard(loadProducts); }, REFRESH_MS);
onAccount((account) => {
  if (!account) return;
  checkout.load();
  waits.load();
});
