// Arbitrages as cards: what to stake where, of the editable bankroll.

import { el, setText } from "./dom.js";
import * as show from "./format.js";

const SHOWN = 50;

const cards = new Map();

export function renderArbitrages(box, arbitrages, { bankroll, onPick, unconfirmed }) {
  const best = arbitrages.sort((a, b) => b.expected_value - a.expected_value).slice(0, SHOWN);
  const nodes = best.map((alert) => kept(alert, bankroll, onPick));
  const shown = new Set(best.map((alert) => alert.alert_id));
  for (const id of cards.keys()) if (!shown.has(id)) cards.delete(id);
  nodes.forEach((node, i) => doubt(node, unconfirmed(best[i]), best[i].late_s));
  if (nodes.length !== box.children.length || nodes.some((node, i) => node !== box.children[i])) box.replaceChildren(...nodes);
}

function doubt(node, unconfirmed, late) {
  node.classList.toggle("unconfirmed", unconfirmed !== null);
  setText(node.querySelector(".doubt"), show.doubt(unconfirmed, late));
}

// A card is made anew only when it says something new: otherwise its flash would start over.
function kept(alert, bankroll, onPick) {
  const last = cards.get(alert.alert_id);
  if (last?.seq === alert.seq && last.bankroll === bankroll) return last.node;
  const node = card(alert, bankroll, onPick);
  node.classList.toggle("new", alert.isNew && !last);
  cards.set(alert.alert_id, { seq: alert.seq, bankroll, node });
  return node;
}

function card(alert, bankroll, onPick) {
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
      el("span", { title: "Stake of this leg, if the whole bankroll goes in" }, show.money(leg.stake_fraction * bankroll)),
    ),
  );
  return el(
    "article",
    { class: closed ? "card closed" : "card", "data-alert": alert.alert_id },
    el("header", {}, el("div", {}, name, el("small", { title: show.utc(alert.commence_at) }, about)), profit),
    el("ul", { class: "legs" }, ...legs),
    el("span", { class: "rules", title: meaning }, rules),
    el("span", { class: "reason doubt" }),
    closed ? el("span", { class: "reason" }, `closed: ${show.reason(alert.reason)}`) : null,
  );
}
