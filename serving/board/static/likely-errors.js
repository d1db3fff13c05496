// Likely pricing errors, listed apart from value bets: the book may void the bet.

import { el } from "./dom.js";
import * as show from "./format.js";

const MAX_SHOWN = 20;

export function renderLikelyErrors(list, errors, { onPick, unconfirmedSeconds }) {
  const largest = errors.sort((a, b) => b.expected_value - a.expected_value).slice(0, MAX_SHOWN);
  list.replaceChildren(...largest.map((alert) => listItem(alert, onPick, unconfirmedSeconds(alert))));
}

function listItem(alert, onPick, unconfirmed) {
  return el(
    "li",
    { class: alert.state === "closed" ? "closed" : unconfirmed === null ? null : "unconfirmed", "data-alert": alert.alert_id },
    el("button", { class: "link", onclick: () => onPick(alert) }, show.event(alert)),
    ...(alert.legs ? singleBookCells(alert) : priceCells(alert)),
    el("span", { class: "reason" }, show.unconfirmedText(unconfirmed, alert.late_s)),
  );
}

// All outcomes of a market at one book (or a book and its copies), at prices that guarantee a profit.
function singleBookCells(alert) {
  const legs = alert.legs.map((leg) => `${leg.selection} ${show.price(leg.price)}`).join(" + ");
  return [
    el("span", {}, `${legs} · ${show.market(alert.market)}`),
    el("span", { class: "book" }, [...new Set(alert.legs.map((leg) => leg.book_title ?? leg.book))].join(", ")),
    el("span", { class: "quiet" }, `all at one book: returns ${show.percent(alert.expected_value, 1)}, likely an error, not an arbitrage`),
  ];
}

function priceCells(alert) {
  return [
    el("span", {}, `${show.selection(alert)} · ${show.market(alert.market)}`),
    el("span", { class: "book" }, alert.book_title ?? alert.book),
    el("span", { class: "strong", title: "Price" }, show.price(alert.price)),
    el("span", { title: "Fair price" }, `fair ${show.price(1 / alert.fair_probability)}`),
    el("span", { class: "quiet" }, `${show.percent(alert.error_probability, 0)} likely to be a pricing error`),
  ];
}
