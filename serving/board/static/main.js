// The board: loads a snapshot by REST, then follows the live stream from exactly that point.

import { AlertStore } from "./alert-store.js";
import * as api from "./api.js";
import { renderArbitrages } from "./arbitrages.js";
import { $, el, fillOptions, setText } from "./dom.js";
import * as show from "./format.js";
import { renderHealth } from "./health.js";
import { renderLikelyErrors } from "./likely-errors.js";
import { PriceTable, alertLineKey } from "./prices.js";
import { AlertStream } from "./stream.js";
import { ValueBetTable } from "./value-bets.js";

const STATUS_MS = 5000;
const BANNERS = {
  simulate: "SIMULATED: a synthetic market. No price, event or bet on this page is real.",
  replay: "REPLAY: recorded odds. None of these prices are available any more.",
};

const state = { feed: null, local: false, token: sessionStorage.getItem("token") };
const priceTable = new PriceTable();
const showPrices = (alert) => {
  priceTable.select({ sport: alert.sport, event: alert.event_id, line: alertLineKey(alert) });
  $("prices-title").scrollIntoView({ behavior: "smooth", block: "nearest" });
};
const unconfirmedSeconds = (alert) => alertStore.unconfirmedSeconds(alert);
const valueBetTable = new ValueBetTable($("value-bets"), { onPick: showPrices, onSort: () => scheduleRender(), unconfirmedSeconds });
const alertStore = new AlertStore(() => scheduleRender());
const sportTitles = new Map();

// Many alerts may arrive between two frames: render once per frame.
let isRenderScheduled = false;
function scheduleRender() {
  if (isRenderScheduled) return;
  isRenderScheduled = true;
  requestAnimationFrame(() => {
    isRenderScheduled = false;
    render();
  });
}

function render() {
  const bankroll = Number($("bankroll").value) || 0;
  const bets = filterBets(alertStore.list("value"));
  valueBetTable.render(bets, { bankroll, now: alertStore.feedTime(state.feed) });
  const rules = $("rules-filter").value;
  const arbitrages = alertStore.list("arbitrage").filter((alert) => !rules || (alert.rules ?? "unknown") === rules);
  renderArbitrages($("arbitrages"), arbitrages, { bankroll, onPick: showPrices, unconfirmedSeconds });
  const errors = alertStore.list("likely_error");
  renderLikelyErrors($("errors"), errors, { onPick: showPrices, unconfirmedSeconds });
  $("errors-panel").hidden = errors.length === 0;
  $("value-empty").hidden = bets.length > 0;
  $("value-bets").hidden = bets.length === 0;
  $("arbitrage-empty").hidden = arbitrages.length > 0;
  setText($("count-value"), show.integer(alertStore.listOpen("value").length));
  setText($("count-arbitrage"), show.integer(alertStore.listOpen("arbitrage").length));
}

function filterBets(bets) {
  const sport = $("sport-filter").value;
  const edge = Number($("edge-filter").value) / 100;
  return bets
    .filter((bet) => (!sport || bet.sport === sport) && bet.edge >= edge)
    .map((bet) => ({ ...bet, sport_title: sportTitles.get(bet.sport) }));
}

function setFeed(feed) {
  state.feed = feed;
  const text = BANNERS[feed];
  $("banner").hidden = !text;
  setText($("banner"), text ?? "");
  document.title = text ? `${text.split(":")[0]} · Edge Finder` : "Edge Finder";
}

async function loadSnapshot() {
  const [bets, arbitrages, errors, sports] = await Promise.all([
    api.fetchValueBets(),
    api.fetchArbitrages(),
    api.fetchLikelyErrors(),
    api.fetchSports(),
  ]);
  setFeed(bets.feed ?? state.feed);
  for (const sport of sports) sportTitles.set(sport.key, sport.title);
  fillOptions($("sport-filter"), [["", "all"], ...sportTitles], $("sport-filter").value);
  priceTable.setSports(sports);
  alertStore.reset([...bets.alerts, ...arbitrages.alerts, ...errors.alerts]);
  return Math.min(bets.last_id, arbitrages.last_id, errors.last_id);
}

async function refreshStatus() {
  try {
    const status = await api.fetchStatus();
    state.local = status.local;
    if (status.feed) setFeed(status.feed);
    if (status.feed && !sportTitles.size) await loadSnapshot();
    setText($("count-alerts"), show.integer(status.alerts_opened));
    setText($("latency"), show.latency(status.latency_ms.p50));
    $("latency").title = `p95 ${show.latency(status.latency_ms.p95)}, p99 ${show.latency(status.latency_ms.p99)}`;
    const reasons = Object.entries(status.suppressed).sort((a, b) => b[1] - a[1]);
    const chips = reasons.map(([why, n]) => el("span", { class: "chip" }, `${show.reason(why)} `, el("b", {}, show.integer(n))));
    $("suppressed").replaceChildren(...(chips.length ? chips : ["none"]));
  } catch {
    // the connection state already shows it
  }
}

async function refreshHealth() {
  let answer = null;
  try {
    answer = await api.fetchHealth();
  } catch {
    // rendered as no answer
  }
  renderHealth(answer);
  alertStore.setConfirmations(answer ? answer.confirmations : null);
}

const stream = new AlertStream({
  token: () => (state.local ? api.createSession() : Promise.resolve(state.token)),
  onHello: (hello) => setFeed(state.feed ?? hello.feed),
  onAlert: (alert) => alertStore.apply(alert),
  onState: (connection, text) => {
    $("connection").dataset.state = connection;
    setText($("connection"), text);
    $("token-form").hidden = connection !== "refused" || state.local;
  },
  onReset: (what) => (what === "database" ? start() : renewToken()),
});

function renewToken() {
  if (state.local) return stream.connect();
  setText($("token-problem"), state.token ? $("connection").textContent : "");
  state.token = null;
  sessionStorage.removeItem("token");
}

async function start() {
  await refreshStatus();
  try {
    await stream.connect(await loadSnapshot());
  } catch {
    setText($("connection"), "server not responding; retrying");
    setTimeout(start, STATUS_MS);
  }
}

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  state.token = $("token").value.trim() || null;
  if (state.token) sessionStorage.setItem("token", state.token);
  $("token").value = "";
  stream.connect();
});
$("bankroll").value = localStorage.getItem("bankroll") ?? "1000";
$("bankroll").addEventListener("input", () => {
  localStorage.setItem("bankroll", $("bankroll").value);
  scheduleRender();
});
for (const id of ["sport-filter", "edge-filter", "rules-filter"]) $(id).addEventListener("input", scheduleRender);
setInterval(() => valueBetTable.updateAges(alertStore.list("value"), alertStore.feedTime(state.feed)), 1000);
setInterval(refreshStatus, STATUS_MS);
setInterval(refreshHealth, STATUS_MS);
refreshHealth();
start();
