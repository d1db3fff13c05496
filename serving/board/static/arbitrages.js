// Arbitrages as cards: what to bet at which book, and the stakes for the bankroll entered.

import { el, setText } from "./dom.js";
import * as show from "./format.js";

const MAX_SHOWN = 50;

const cards = new Map();

export function renderArbitrages(box, arbitrages, { bankroll, onPick, unconfirmedSeconds }) {
  const best = arbitrages.sort((a, b) => b.expected_value - a.expected_value).slice(0, MAX_SHOWN);
  const nodes = best.map((alert) => cardFor(alert, bankroll, onPick));
  const shown = new Set(best.map((alert) => alert.alert_id));
  for (const id of cards.keys()) if (!shown.has(id)) cards.delete(id);
  nodes.forEach((node, i) => markUnconfirmed(node, unconfirmedSeconds(best[i]), best[i].late_s));
  if (nodes.length !== box.children.length || nodes.some((node, i) => node !== box.children[i])) box.replaceChildren(...nodes);
}

function markUnconfirmed(node, unconfirmed, late) {
  node.classList.toggle("unconfirmed", unconfirmed !== null);
  setText(node.querySelector(".unconfirmed-note"), show.unconfirmedText(unconfirmed, late));
}

// Reuse an unchanged card: a new one would restart its flash animation.
function cardFor(alert, bankroll, onPick) {
  const last = cards.get(alert.alert_id);
  if (last?.seq === alert.seq && last.bankroll === bankroll) return last.node;
  const node = buildCard(alert, bankroll, onPick);
  node.classList.toggle("new", alert.isNew && !last);
  cards.set(alert.alert_id, { seq: alert.seq, bankroll, node });
  return node;
}

function buildCard(alert, bankroll, onPick) {
  const closed = alert.state === "closed";
  const name = el("button", { class: "link strong", onclick: () => onPick(alert) }, show.event(alert));
  const about = `${show.market(alert.market)} ${show.point(alert.point, alert.market)} · starts ${show.start(alert.commence_at)}`;
  const profit = el("span", { class: "return good", title: "Guaranteed return on the total stake" }, show.signed(alert.expected_value));
  const [rules, meaning] = show.rules(alert.rules);
  const legs = (alert.legs ?? []).map((leg) =>
    el(
      "li",
      {},
      el("span", {}, leg.selection),
      el("span", { class: "book" }, leg.book_title ?? leg.book),
      el("span", { class: "strong" }, show.price(leg.price)),
      el("span", { title: "Stake on this leg if you stake the whole bankroll" }, show.money(leg.stake_fraction * bankroll)),
    ),
  );
  return el(
    "article",
    { class: closed ? "card closed" : "card", "data-alert": alert.alert_id },
    el("header", {}, el("div", {}, name, el("small", { title: show.utc(alert.commence_at) }, about)), profit),
    el("ul", { class: "legs" }, ...legs),
    el("span", { class: "rules", title: meaning }, rules),
    el("span", { class: "reason unconfirmed-note" }),
    closed ? el("span", { class: "reason" }, `closed: ${show.reason(alert.reason)}`) : null,
  );
}
