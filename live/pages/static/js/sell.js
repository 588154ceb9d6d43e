/**
 * The seller's console, step by step: an account, a store, then the studio with its show.
 */
import { accountForm } from "./account.js";
import { Answers } from "./answers.js";
import { api, explain } from "./api.js";
import { AssistantPanel } from "./assistant.js";
import { AuctionDesk } from "./auction_desk.js";
import { Attendance } from "./attendance.js";
import { Broadcast } from "./broadcast.js";
import { CodeSwitch } from "./code_switch.js";
import { DealSheet } from "./deal_sheet.js";
import { Deals } from "./deals.js";
import { DeedSheet } from "./deeds.js";
import { Coupons } from "./coupons.js";
import { $, fieldsOf, say } from "./dom.js";
import { House } from "./house.js";
import { HouseSheet } from "./house_sheet.js";
import { Orders } from "./orders.js";
import { QuestionSheet } from "./question_sheet.js";
import { SheetImport } from "./sheet_import.js";
import { ShowChoice } from "./show_choice.js";
import { Room } from "./room.js";
import { onAccount, refreshAccount } from "./session.js";
import { StockView } from "./stock_view.js";
import { tabs } from "./tabs.js";
import { sayBox, showConnection, showThinned, TalkList } from "./talk.js";
import { Terms } from "./terms.js";
import { shortCount, t } from "./text.js";
import { Wares } from "./wares.js";

const SHOP = ["stock", "price", "product", "sold_out"];
const dots = { talk: 0, orders: 0 };
let currentTab = "show";
let account = null;
let store = null;
/** @type {Room|null} */
let room = null;

const house = new House();
const deeds = new DeedSheet({ show: () => room.show, store: () => store, you: () => house.you });
const houseSheet = new HouseSheet({ show: () => room?.show, store: () => store, open: (said) => deeds.open(said) });
const answers = new Answers();
const talk = new TalkList($("#talk"), (said) => deeds.open(said), answers);
const orders = new Orders();
const choice = new ShowChoice({ chosen: enterRoom });
const deals = new Deals({ moved: showDeals, ticked: () => wares.tick() });
const wares = new Wares({ pin, added: (product) => choice.addToLineup([product.id]), deals, openDeal: (product) => dealSheet.open(product) });
const dealSheet = new DealSheet({ show: showOf, of: (product) => deals.of(product) });
const stockView = new StockView({ store: () => store, opened: () => sheetImport.clear() });
const sheetImport = new SheetImport({ store: () => store, done: () => Promise.all([stockView.load(), wares.refresh()]) });
const codeSwitch = new CodeSwitch({ show: () => choice.show });
const terms = new Terms();
const coupons = new Coupons({ show: () => choice.show?.id ?? null });
const questions = new QuestionSheet({ show: () => room?.show, title: (product) => wares.shelf.get(product)?.title ?? null });
const auctions = new AuctionDesk({ show: showOf, products: () => wares.shelf.all() });
const attendance = new Attendance($("#attendance"));
const broadcast = new Broadcast({ showOf, ended: (show) => choice.update(show) });

const EVENTS = {
  welcome(event) {
    for (const answer of event.answers) answers.put(answer);
    questions.load();
    talk.replace(event.talk);
    house.welcome(event);
    houseSheet.load();
    for (const product of event.products) wares.apply({ type: "product", product });
    deals.replace(event.offers);
    wares.setPinned(event.pinned);
    showDeals();
    auctions.welcome(event);
    $("#viewers").textContent = shortCount(event.present);
    choice.update({ ...choice.show, stage: event.stage, on_air: event.on_air });
  },
  auction: (event) => auctions.changed(event.auction),
  said(event) {
    talk.add(event);
    if (event.from.id !== account?.id) count("talk");
  },
  media: (event) => broadcast.setHealth(event),
  taken_over: (event) => broadcast.takenOver(event.session),
  deleted: (event) => talk.remove(event.id),
  room(event) {
    house.switched(event);
    houseSheet.switched(house.room);
  },
  sanction: (event) => houseSheet.sanctioned(event),
  moderator: () => houseSheet.appointed(),
  reported: (event) => houseSheet.reported(event.report),
  settled: (event) => houseSheet.settled(event.report),
  question: (event) => questions.changed(event.question),
  answered(event) {
    if (answers.put(event)) talk.answered(event.id);
  },
  thinned: showThinned,
  present: (event) => { $("#viewers").textContent = shortCount(event.count); },
  pin: (event) => wares.setPinned(event.product),
  deal(event) {
    if (deals.apply(event)) showDeals();
  },
  on_air: (event) => choice.update({ ...choice.show, stage: event.on_air ? "live" : choice.show.stage, on_air: event.on_air }),
  ended: () => choice.update({ ...choice.show, stage: "ended", on_air: false }),
  order(event) {
    guard(() => Promise.all([orders.add(event.order), wares.refresh()]));
    count("orders");
  },
};

function enterRoom(show) {
  broadcast.setShow(show);
  attendance.setShow(show);
  if (room?.show === show?.id) return;
  room?.close();
  room = null;
  talk.replace([]);
  questions.clear();
  deals.replace([]);
  codeSwitch.load();
  auctions.clear();
  wares.setPinned(show?.pinned ?? null);
  if (!show) return;
  room = new Room(show.id, {
    event(event) {
      if (SHOP.includes(event.type)) wares.apply(event);
      else EVENTS[event.type]?.(event);
      stockView.apply(event);
    },
    state: showConnection,
    signedIn: () => Boolean(account),
  });
  room.show = show.id;
  room.open();
}

function showDeals() {
  wares.tick();
  dealSheet.update();
}

async function pin(product) {
  const show = await showOf();
  if (!show) return;
  if (product) await choice.addToLineup([product]);
  const updated = await api("POST", `/shows/${show.id}/pin`, { body: { product } });
  wares.setPinned(updated.pinned);
}

async function showOf() {
  if (choice.show && choice.show.stage !== "ended") return choice.show;
  say($("#sell-alert"), t("sell.show_first"));
  document.getElementById("tab-show").click();
  $("#show-adder").open = true;
  $("#show-form").elements.title.focus();
  return null;
}

async function guard(action) {
  try {
    await action();
  } catch (error) {
    say($("#sell-alert"), explain(error));
  }
}

function count(tab) {
  if (currentTab !== tab) dots[tab] += 1;
  showDot(tab);
}

function showDot(tab) {
  const dot = document.getElementById(`dot-${tab}`);
  dot.textContent = String(dots[tab]);
  dot.hidden = dots[tab] === 0;
}

function step(name) {
  for (const one of ["welcome", "store"]) $(`#step-${one}`).hidden = one !== name;
  $("#studio").hidden = name !== "studio";
  document.body.dataset.step = name;
}

async function enterStudio(slug) {
  if (store === slug) return;
  store = slug;
  $("#store-link").href = `/stores/${encodeURIComponent(slug)}`;
  await guard(async () => {
    await Promise.all([wares.load(slug), orders.load(slug), terms.load(slug), coupons.load(slug)]);
    await choice.load(slug);
  });
  step("studio"); // once it knows its store: a show made before that would belong to none
}

async function createStore(event) {
  event.preventDefault();
  const form = event.target;
  const alert = $("[data-alert]", form);
  say(alert);
  const fields = fieldsOf(form, (text) => say(alert, text), (field) => t(`sell.check_${field.name}`));
  if (!fields) return;
  const button = $(".primary", form);
  button.disabled = true;
  try {
    const { slug, name, story } = fields;
    await api("POST", "/stores", { body: { slug: slug.toLowerCase(), name, story } });
    await refreshAccount();
    await enterStudio(slug.toLowerCase());
  } catch (error) {
    say(alert, explain(error));
  } finally {
    button.disabled = false;
  }
}

new AssistantPanel({ store: () => store, show: () => choice.show });
$("#store-form").addEventListener("submit", createStore);
tabs($("#console [role=tablist]"), (tab) => {
  currentTab = tab;
  if (tab in dots) {
    dots[tab] = 0;
    showDot(tab);
  }
});
sayBox(() => room, house);
onAccount((now) => {
  if (account && now?.id !== account.id && broadcast.publishing) return; // a show on air outlives a lost session
  const left = account && !now;
  const renamed = account && now && account.name !== now.name;
  account = now;
  if (renamed) room?.restart();
  if (left) location.reload();
  else if (!account) {
    step("welcome");
    $("#welcome-form").replaceChildren(accountForm(() => $("#welcome-form").replaceChildren(), ""));
  } else if (account.stores?.length) enterStudio(account.stores[0]);
  else if (!store) step("store");
});
