// Prices too good to be true, apart from value: the book may void the bet.

import { el } from "./dom.js";
import * as show from "./format.js";

const SHOWN = 20;

export function renderErrors(list, errors, { onPick, unconfirmed }) {
  const largest = errors.sort((a, b) => b.expected_value - a.expected_value).slice(0, SHOWN);
  list.replaceChildren(...largest.map((alert) => line(alert, onPick, unconfirmed(alert))));
}

function line(alert, onPick, doubted) {
  return el(
    "li",
    { class: alert.state === "closed" ? "closed" : doubted === null ? null : "unconfirmed", "data-alert": alert.alert_id },
    el("button", { class: "link", onclick: () => onPick(alert) }, show.event(alert)),
    ...(alert.legs ? oneBook(alert) : price(alert)),
    el("span", { class: "reason" }, show.doubt(doubted, alert.late_s)),
  );
}

// Every outcome of a market at one book (or it and its copies) for less than it pays.
function oneBook(alert) {
  const legs = alert.legs.map((leg) => `${leg.selection} ${show.price(leg.price)}`).join(" + ");
  return [
    el("span", {}, `${legs} · ${show.market(alert.market)}`),
    el("span", { class: "book" }, [...new Set(alert.legs.map((leg) => leg.book_title ?? leg.book))].join(", ")),
    el("span", { class: "quiet" }, `all at one book: returns ${show.percent(alert.expected_value, 1)}, no arbitrage`),
  ];
}

function price(alert) {
  return [
    el("span", {}, `${show.selection(alert)} · ${show.market(alert.market)}`),
    el("span", { class: "book" }, alert.book_title ?? alert.book),
    el("span", { class: "strong", title: "Price" }, show.price(alert.price)),
    el("span", { title: "Fair price" }, `fair ${show.price(1 / alert.fair_probability)}`),
    el("span", { class: "quiet" }, `an error with ${show.percent(alert.error_probability, 0)}`),
  ];
}
