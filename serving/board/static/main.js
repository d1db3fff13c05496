// The board: a snapshot by REST, then the live stream from exactly there.

import * as api from "./api.js";
import { renderArbitrages } from "./arbitrages.js";
import { $, el, options, setText } from "./dom.js";
import { renderErrors } from "./errors.js";
import * as show from "./format.js";
import { renderHealth } from "./health.js";
import { Ledger } from "./ledger.js";
import { Prices, lineOfAlert } from "./prices.js";
import { AlertStream } from "./stream.js";
import { ValueBets } from "./value-bets.js";

const STATUS_MS = 5000;
const BANNERS = {
  simulate: "SIMULATED: an invented market. No price, event or bet on this page is real.",
  replay: "REPLAY: a recorded market, played back. None of these prices can be had any more.",
};

const world = { feed: null, local: false, token: sessionStorage.getItem("token") };
const prices = new Prices();
const pick = (alert) => {
  prices.pick({ sport: alert.sport, event: alert.event_id, line: lineOfAlert(alert) });
  $("prices-title").scrollIntoView({ behavior: "smooth", block: "nearest" });
};
const unconfirmed = (alert) => ledger.unconfirmed(alert);
const table = new ValueBets($("value-bets"), { onPick: pick, onSort: () => draw(), unconfirmed });
const ledger = new Ledger(() => draw());
const titles = new Map();

// Many alerts may arrive between two frames; they are drawn once.
let due = false;
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    render();
  });
}

function render() {
  const bankroll = Number($("bankroll").value) || 0;
  const bets = filtered(ledger.of("value"));
  table.render(bets, { bankroll, now: ledger.now(world.feed) });
  const rules = $("rules-filter").value;
  const arbitrages = ledger.of("arbitrage").filter((alert) => !rules || (alert.rules ?? "unknown") === rules);
  renderArbitrages($("arbitrages"), arbitrages, { bankroll, onPick: pick, unconfirmed });
  const errors = ledger.of("likely_error");
  renderErrors($("errors"), errors, { onPick: pick, unconfirmed });
  $("errors-panel").hidden = errors.length === 0;
  $("value-empty").hidden = bets.length > 0;
  $("value-bets").hidden = bets.length === 0;
  $("arbitrage-empty").hidden = arbitrages.length > 0;
  setText($("count-value"), show.whole(ledger.open("value").length));
  setText($("count-arbitrage"), show.whole(ledger.open("arbitrage").length));
}

function filtered(bets) {
  const sport = $("sport-filter").value;
  const edge = Number($("edge-filter").value) / 100;
  return bets
    .filter((bet) => (!sport || bet.sport === sport) && bet.edge >= edge)
    .map((bet) => ({ ...bet, sport_title: titles.get(bet.sport) }));
}

function setFeed(feed) {
  world.feed = feed;
  const text = BANNERS[feed];
  $("banner").hidden = !text;
  setText($("banner"), text ?? "");
  document.title = text ? `${text.split(":")[0]} · Edge Finder` : "Edge Finder";
}

async function snapshot() {
  const [bets, arbitrages, errors, sports] = await Promise.all([
    api.valueBets(),
    api.arbitrages(),
    api.likelyErrors(),
    api.sports(),
  ]);
  setFeed(bets.feed ?? world.feed);
  for (const sport of sports) titles.set(sport.key, sport.title);
  options($("sport-filter"), [["", "all"], ...titles], $("sport-filter").value);
  prices.sports(sports);
  ledger.reset([...bets.alerts, ...arbitrages.alerts, ...errors.alerts]);
  return Math.min(bets.last_id, arbitrages.last_id, errors.last_id);
}

async function refreshStatus() {
  try {
    const status = await api.status();
    world.local = status.local;
    if (status.feed) setFeed(status.feed);
    if (status.feed && !titles.size) await snapshot();
    setText($("count-alerts"), show.whole(status.alerts_opened));
    setText($("latency"), show.latency(status.latency_ms.p50));
    $("latency").title = `p95 ${show.latency(status.latency_ms.p95)}, p99 ${show.latency(status.latency_ms.p99)}`;
    const reasons = Object.entries(status.suppressed).sort((a, b) => b[1] - a[1]);
    const chips = reasons.map(([why, n]) => el("span", { class: "chip" }, `${show.reason(why)} `, el("b", {}, show.whole(n))));
    $("suppressed").replaceChildren(...(chips.length ? chips : ["none"]));
  } catch {
    // the connection's state says it already
  }
}

async function refreshHealth() {
  let answer = null;
  try {
    answer = await api.health();
  } catch {
    // told as what it is: nobody answers
  }
  renderHealth(answer);
  ledger.confirmations(answer ? answer.confirmations : null);
}

const stream = new AlertStream({
  token: () => (world.local ? api.session() : Promise.resolve(world.token)),
  onHello: (hello) => setFeed(world.feed ?? hello.feed),
  onAlert: (alert) => ledger.apply(alert),
  onState: (state, text) => {
    $("connection").dataset.state = state;
    setText($("connection"), text);
    $("token-form").hidden = state !== "refused" || world.local;
  },
  onReset: (what) => (what === "world" ? start() : renewToken()),
});

function renewToken() {
  if (world.local) return stream.connect();
  setText($("token-problem"), world.token ? $("connection").textContent : "");
  world.token = null;
  sessionStorage.removeItem("token");
}

async function start() {
  await refreshStatus();
  try {
    await stream.connect(await snapshot());
  } catch {
    setText($("connection"), "the server does not answer; trying again");
    setTimeout(start, STATUS_MS);
  }
}

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  world.token = $("token").value.trim() || null;
  if (world.token) sessionStorage.setItem("token", world.token);
  $("token").value = "";
  stream.connect();
});
$("bankroll").value = localStorage.getItem("bankroll") ?? "1000";
$("bankroll").addEventListener("input", () => {
  localStorage.setItem("bankroll", $("bankroll").value);
  draw();
});
for (const id of ["sport-filter", "edge-filter", "rules-filter"]) $(id).addEventListener("input", draw);
setInterval(() => table.tick(ledger.of("value"), ledger.now(world.feed)), 1000);
setInterval(refreshStatus, STATUS_MS);
setInterval(refreshHealth, STATUS_MS);
refreshHealth();
start();
