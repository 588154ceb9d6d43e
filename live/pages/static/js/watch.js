/**
 * The watch page: the picture, the room and the shop come together here.
 */
import "./account.js";
import { Answers, AnswersView } from "./answers.js";
import { api, explain, Problem } from "./api.js";
import { AuctionCard } from "./auction.js";
import { Ask } from "./ask.js";
import { CodeNote } from "./code_note.js";
import { Deals } from "./deals.js";
import { DeedSheet, rank, tellDone } from "./deeds.js";
import { $, announce, say, sheet } from "./dom.js";
import { FollowButton } from "./following.js";
import { Checkout } from "./hold.js";
import { House } from "./house.js";
import { PastTalk } from "./past_talk.js";
import { petals } from "./petals.js";
import { ProductRows, ProductView } from "./products.js";
import { QuestionSheet } from "./question_sheet.js";
import { Room } from "./room.js";
import { onAccount } from "./session.js";
import { Shelf } from "./shelf.js";
import { Stage } from "./stage.js";
import { sayBox, showConnection, showThinned, TalkList } from "./talk.js";
import { shortCount, t } from "./text.js";
import { Waits } from "./waits.js";

const show = decodeURIComponent(location.pathname.split("/")[2]);
const shelf = new Shelf();
const deals = new Deals({ moved: showProducts, ticked: tick });
const house = new House();
const deeds = new DeedSheet({ show: () => show, store: () => following.store, you: () => house.you });
const answers = new Answers();
const talk = new TalkList($("#talk"), (said) => deeds.open(said), answers);
const questions = new QuestionSheet({ show: () => show, title: (product) => shelf.get(product)?.title ?? null });
const ask = new Ask({ pinned: () => shelf.get(pinned)?.id ?? null, title: (product) => shelf.get(product)?.title ?? null });
const pastTalk = new PastTalk(show, {
  moderates: () => rank(house.you) > 0,
  chosen: (said) => deeds.open(said),
});
const stage = new Stage(show, () => pastTalk.open());
const checkout = new Checkout({
  show,
  alert: $("#watch-alert"),
  changed: showProducts,
  product: priced,
  waits: () => waits,
  codes: codesBuy,
  hold: (lines, key) => room.hold(lines, key),
});
const waits = new Waits({
  show,
  alert: $("#watch-alert"),
  changed: showProducts,
  held: () => checkout.load(),
  take: (id) => checkout.buyById(id),
});
const rows = new ProductRows($("#products"), (product) => new ProductView(product, {
  buy: buyFromSheet,
  codes: codesBuy,
  waits,
  foot: new AnswersView(product.id, answers, { ask: () => askFromSheet(product.id) }),
}));
const codeNote = new CodeNote($("#code-note"), { held: () => checkout.load(), pay: (product) => checkout.buy(deals.priced(product)) });
const auction = new AuctionCard({
  pay: (product) => checkout.pay(product),
  product: (id) => shelf.get(id),
  alert: $("#watch-alert"),
});
const following = new FollowButton($("#follow"), $("#watch-alert"));
const productsSheet = sheet($("#products-sheet"));

/** Whether the seller lets codes said in the chat buy. */
let codesOpen = false;
let pinned = null;
let pinnedView = null;
let hearts = 0;
let ownHearts = 0;
let account = null;
let known = false;
/** The room's word on whether the show is on is newer than any answer still on its way. */
let told = false;

/** What each event of the room does to the page. */
const EVENTS = {
  welcome(event) {
    told = true;
    shelf.replace(event.products);
    deals.replace(event.offers);
    codesOpen = event.offers.some((offer) => offer.type === "codes" && offer.open);
    for (const answer of event.answers) answers.put(answer);
    talk.replace(event.talk);
    house.welcome(event);
    showQuestions();
    pastTalk.welcomed();
    hearts = event.hearts;
    setPresent(event.present);
    stage.setShow({ stage: event.stage, on_air: event.on_air });
    pinned = event.pinned;
    showProducts();
    showHearts();
    auction.welcome(event);
  },
  auction: (event) => auction.changed(event.auction),
  bidding(event) {
    auction.fares(event);
    if (event.own.hold) checkout.load();
  },
  deal(event) {
    if (deals.apply(event)) showProducts();
  },
  offer: (event) => waits.heard(event),
  wait: (event) => waits.heard(event),
  codes(event) {
    codesOpen = event.open;
    showProducts();
  },
  code: (event) => codeNote.heard(event, shelf.get(event.product)),
  said: (event) => talk.add(event),
  question: (event) => questions.changed(event.question),
  answered(event) {
    if (!answers.put(event)) return;
    const said = talk.answered(event.id);
    for (const view of allViews()) view.foot.show();
    if (said && said.from.id === house.you?.id && answers.of(event.id)) tellDone(t("ask.answered"));
  },
  deleted(event) {
    talk.remove(event.id);
    pastTalk.remove(event.id);
  },
  room: (event) => house.switched(event),
  sanction: (event) => house.sanctioned(event),
  moderator(event) {
    if (!house.appointed(event)) return;
    deeds.close();
    showQuestions();
  },
  followed: (event) => following.told(event.follows),
  thinned: showThinned,
  hearts(event) {
    hearts += event.count;
    const others = Math.max(0, event.count - ownHearts);
    ownHearts = Math.max(0, ownHearts - event.count);
    petals($("#petals"), others);
    showHearts();
  },
  present: (event) => setPresent(event.count),
  pin(event) {
    pinned = event.product;
    showProducts();
    const product = shelf.get(pinned);
    if (product) announce(t("watch.now_pinned", { title: product.title }));
  },
  stock: changeShelf,
  price: changeShelf,
  product: changeShelf,
  sold_out(event) {
    changeShelf(event);
    const product = shelf.get(event.product);
    if (product && event.product === pinned) announce(t("watch.now_sold_out", { title: product.title }));
  },
  on_air: (event) => setStage({ stage: event.on_air ? "live" : stage.show.stage, on_air: event.on_air }),
  ended: () => setStage({ stage: "ended", on_air: false }),
};

const room = new Room(show, {
  event: (event) => EVENTS[event.type]?.(event),
  state: showConnection,
  signedIn: () => Boolean(account),
});

/** What a show sells by depends on its stage. */
function setStage(facts) {
  stage.setShow(facts);
  showProducts();
}

function codesBuy() {
  return codesOpen && stage.show.stage === "live";
}

function priced(product) {
  return deals.priced(shelf.get(product));
}

function changeShelf(event) {
  if (shelf.apply(event)) showProducts();
}

function showProducts() {
  const products = shelf.all().map((product) => deals.priced(product));
  rows.show(products);
  for (const view of rows.views.values()) {
    view.setMine(checkout.has(view.product.id));
    view.foot.show();
  }
  $("#products-count").textContent = String(products.length);
  $("#products-count").hidden = products.length === 0;
  showPinned(priced(pinned));
  checkout.options.follow(priced);
  tick();
}

function tick() {
  for (const view of allViews()) view.tick(deals.now());
}

function showPinned(product) {
  $("#pinned").hidden = !product;
  if (!product) {
    pinnedView = null;
    $("#pinned-card").replaceChildren();
    return;
  }
  if (pinnedView?.product.id === product.id) pinnedView.update(product);
  else {
    const foot = new AnswersView(product.id, answers);
    pinnedView = new ProductView(product, { tag: "div", hooks: true, codes: codesBuy, waits, foot, buy: (wanted) => checkout.buy(wanted) });
    $("#pinned-card").replaceChildren(pinnedView.element);
  }
  pinnedView.setMine(checkout.has(product.id));
  pinnedView.foot.show();
}

function allViews() {
  return [...rows.views.values(), ...(pinnedView ? [pinnedView] : [])];
}

/** What waits for an answer is the seller's and the moderators' to see. */
function showQuestions() {
  const may = rank(house.you) > 0;
  $("#questions-open").hidden = !may;
  if (may) questions.load();
  else questions.clear();
}

function askFromSheet(product) {
  productsSheet.close();
  ask.about(product);
}

function buyFromSheet(product) {
  productsSheet.close();
  checkout.buy(product);
}

function setPresent(count) {
  $("[data-count]", $("#viewers")).textContent = shortCount(count);
  $("#viewers").hidden = false;
}

function showHearts() {
  $("#hearts").textContent = shortCount(hearts);
  $("#hearts").hidden = hearts === 0;
}

async function describe() {
  try {
    const facts = await api("GET", `/shows/${encodeURIComponent(show)}`);
    document.title = `${facts.title} · ${t("site.name")}`;
    $("#show-title").textContent = facts.title;
    stage.setShow(told ? { starts_at_ms: facts.starts_at_ms } : facts);
    const store = await api("GET", `/stores/${encodeURIComponent(facts.store)}`);
    const link = $("#show-store");
    link.textContent = store.name;
    link.href = `/stores/${encodeURIComponent(facts.store)}`;
    link.hidden = false;
    stage.setStore(store);
    following.load(facts.store);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) stage.setGone();
    else say($("#watch-alert"), explain(error));
  }
}

$("#products-open").addEventListener("click", () => productsSheet.showModal());
$("#heart").addEventListener("click", () => {
  ownHearts += 1;
  room.heart();
  petals($("#petals"), 1);
});
onAccount((now) => {
  auction.setAccount(now);
  const changed = known && (now?.id !== account?.id || now?.name !== account?.name);
  account = now;
  if (changed) room.restart();
  if (changed && following.store) following.load(following.store);
  if (!known) room.open();
  known = true;
  if (account) {
    checkout.load();
    waits.load();
  }
});
sayBox(() => room, house, ask);
addEventListener("pageshow", (event) => { if (event.persisted && account) checkout.load(); });
describe();
