// The table of value bets. Rows are updated in place, which preserves focus and animations.

import { priceAge } from "./alert-store.js";
import { el, setText } from "./dom.js";
import * as show from "./format.js";

const MAX_SHOWN = 200;

const comparators = {
  when: (a, b) => b.firstId - a.firstId,
  price: (a, b) => b.price - a.price,
  edge: (a, b) => b.edge - a.edge,
  ev: (a, b) => b.expected_value_low - a.expected_value_low,
  confidence: (a, b) => b.confidence - a.confidence,
  age: (a, b, now) => priceAge(a, now) - priceAge(b, now),
};

export class ValueBetTable {
  constructor(table, { onPick, onSort, unconfirmedSeconds }) {
    this.unconfirmedSeconds = unconfirmedSeconds;
    this.body = table.tBodies[0];
    this.rows = new Map();
    this.onPick = onPick;
    this.order = "when";
    this.buttons = [...table.querySelectorAll("[data-sort]")];
    for (const button of this.buttons) {
      button.addEventListener("click", () => {
        this.order = button.dataset.sort;
        this.#markSortedColumn();
        onSort();
      });
    }
    this.#markSortedColumn();
  }

  render(bets, { bankroll, now }) {
    const shown = bets.sort((a, b) => comparators[this.order](a, b, now)).slice(0, MAX_SHOWN);
    const ids = new Set(shown.map((bet) => bet.alert_id));
    for (const [id, row] of this.rows) if (!ids.has(id)) row.remove(), this.rows.delete(id);
    let previous = null;
    for (const bet of shown) {
      const row = this.rows.get(bet.alert_id) ?? this.#createRow(bet);
      fillRow(row, bet, bankroll);
      const place = previous ? previous.nextSibling : this.body.firstChild;
      if (place !== row) this.body.insertBefore(row, place);
      previous = row;
    }
    this.updateAges(bets, now);
  }

  // Update the price ages and mark unconfirmed bets.
  updateAges(bets, now) {
    for (const bet of bets) {
      const cells = this.rows.get(bet.alert_id)?.cells_;
      if (!cells || bet.state === "closed") continue;
      setText(cells.age, show.age(priceAge(bet, now)));
      markUnconfirmed(this.rows.get(bet.alert_id), this.unconfirmedSeconds(bet), bet.late_s);
    }
  }

  #createRow(bet) {
    const cells = {
      when: el("td", { class: "when", "data-label": "When" }),
      sport: el("td", { class: "sport" }, bet.sport_title ?? bet.sport),
      event: el("td", { class: "event" }),
      selection: el("td", { class: "selection" }),
      book: el("td", { class: "book" }, bet.book_title ?? bet.book),
      price: el("td", { class: "n strong", "data-label": "Price" }),
      fair: el("td", { class: "n", "data-label": "Fair" }),
      edge: el("td", { class: "n good", "data-label": "Edge" }),
      ev: el("td", { class: "n", "data-label": "EV" }),
      stake: el("td", { class: "n strong", "data-label": "Stake" }),
      confidence: el("td", { class: "n", "data-label": "Confidence" }),
      books: el("td", { class: "n", "data-label": "Books" }),
      age: el("td", { class: "n", "data-label": "Age" }),
      latency: el("td", { class: "n latency", "data-label": "Latency" }),
    };
    const pick = el("button", { class: "link", onclick: () => this.onPick(bet) }, show.event(bet));
    cells.event.append(pick, el("small", { title: show.utc(bet.commence_at) }, show.start(bet.commence_at)));
    const note = el("span", { class: "reason" });
    cells.selection.append(el("span", { class: "strong" }, show.selection(bet)), el("small", {}, show.market(bet.market)), note);
    const value = el("span", {});
    const range = el("small", {});
    cells.ev.append(value, range);
    const level = el("meter", { min: 0, max: 100, low: 40, high: 70, optimum: 100 });
    const score = el("span", {});
    cells.confidence.append(level, " ", score);
    const row = el("tr", { "data-alert": bet.alert_id, class: bet.isNew ? "new" : null }, ...Object.values(cells));
    row.cells_ = { ...cells, value, range, note, level, score };
    this.rows.set(bet.alert_id, row);
    return row;
  }

  #markSortedColumn() {
    for (const button of this.buttons) {
      const column = button.parentElement;
      if (button.dataset.sort === this.order) column.setAttribute("aria-sort", "descending");
      else column.removeAttribute("aria-sort");
    }
  }
}

function fillRow(row, bet, bankroll) {
  const cells = row.cells_;
  setText(cells.when, show.time(bet.observed_at));
  cells.when.title = show.utc(bet.observed_at);
  setText(cells.price, show.price(bet.price));
  setText(cells.fair, show.price(bet.fair_probability ? 1 / bet.fair_probability : null));
  cells.fair.title = `fair probability ${show.percent(bet.fair_probability)} ± ${show.percent(bet.standard_error)}, de-vig methods differ by ${show.percent(bet.method_spread, 2)}`;
  setText(cells.edge, show.signed(bet.edge));
  setText(cells.value, show.signed(bet.expected_value));
  setText(cells.range, show.range(bet.expected_value_low, bet.expected_value_high));
  cells.ev.title = `${show.percent(bet.probability_positive)} chance of positive EV; ${show.percent(bet.push_probability)} chance of a push`;
  setText(cells.stake, show.money(bet.stake_fraction * bankroll));
  cells.stake.title = `${show.percent(bet.stake_fraction, 2)} of the bankroll; Kelly fraction ${show.percent(bet.kelly_fraction, 2)}`;
  setText(cells.score, show.integer(bet.confidence));
  cells.level.value = bet.confidence ?? 0;
  setText(cells.books, show.integer(bet.books));
  setText(cells.latency, show.latency(bet.detection_latency_ms));
  const closed = bet.state === "closed";
  row.classList.toggle("closed", closed);
  if (closed) {
    row.classList.remove("unconfirmed");
    setText(cells.note, `closed: ${show.reason(bet.reason)}`);
  }
}

// A bet that was not confirmed for too long, or was published late, may no longer be available.
function markUnconfirmed(row, unconfirmed, late) {
  row.classList.toggle("unconfirmed", unconfirmed !== null);
  setText(row.cells_.note, show.unconfirmedText(unconfirmed, late));
}
