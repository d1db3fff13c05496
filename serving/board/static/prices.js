// The prices of one line: a row per book, a column per outcome. Best prices are starred, stale ones greyed out.

import * as api from "./api.js";
import { $, el, fillOptions } from "./dom.js";
import * as show from "./format.js";

const REFRESH_MS = 5000;

export class PriceTable {
  constructor() {
    this.selection = {};
    $("price-sport").addEventListener("change", (e) => this.select({ sport: e.target.value }));
    $("price-event").addEventListener("change", (e) => this.select({ ...this.selection, event: Number(e.target.value), line: null }));
    $("price-line").addEventListener("change", (e) => this.select({ ...this.selection, line: e.target.value }));
  }

  setSports(list) {
    fillOptions($("price-sport"), list.map((s) => [s.key, s.title]), this.selection.sport);
    if (!this.selection.sport && list.length) this.select({ sport: list[0].key });
  }

  // Show a selection {sport, event, line}; a missing event or line defaults to the first.
  async select(selection) {
    this.selection = selection;
    clearTimeout(this.timer);
    try {
      const events = await api.fetchEvents(selection.sport);
      const chosen = events.find((e) => e.event_id === selection.event) ?? events[0];
      const odds = chosen ? await api.fetchOdds(selection.sport, chosen.event_id) : { events: [] };
      if (selection === this.selection) this.#render(events, chosen, odds.events[0]?.lines ?? []);
    } catch {
      this.#setNote("Prices cannot be loaded right now.");
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.select(this.selection), REFRESH_MS);
  }

  #render(events, chosen, lines) {
    $("price-sport").value = this.selection.sport;
    fillOptions($("price-event"), events.map((e) => [e.event_id, show.event(e)]), chosen?.event_id);
    const line = lines.find((l) => lineKey(l) === this.selection.line) ?? lines[0];
    fillOptions($("price-line"), lines.map((l) => [lineKey(l), lineName(l)]), line && lineKey(line));
    this.#setNote(line ? "" : "No prices available.");
    const table = $("prices");
    table.tHead.replaceChildren(...(line ? [headerRow(line)] : []));
    table.tBodies[0].replaceChildren(...(line ? bodyRows(line) : []));
  }

  #setNote(text) {
    $("prices-note").hidden = !text;
    $("prices-note").textContent = text;
  }
}

const lineKey = (line) => `${line.market}|${line.point ?? ""}`;

// The key of an alert's line. Odds state the home side's point, an alert on the away side its own.
export const alertLineKey = (alert) =>
  lineKey({
    market: alert.market,
    point: alert.market === "spreads" && alert.outcome === "away" ? 0 - alert.point : alert.point,
  });

const lineName = (line) => `${show.market(line.market)} ${show.point(line.point, line.market)}`.trim();

function headerRow(line) {
  const outcomes = line.outcomes.map((o) => el("th", {}, show.selection({ ...o, market: line.market })));
  return el("tr", {}, el("th", {}, "Book"), ...outcomes, el("th", {}, "Age"));
}

function bodyRows(line) {
  const books = new Map();
  line.outcomes.forEach((outcome, column) => {
    const best = outcome.prices.find((p) => !p.stale)?.price;
    for (const quote of outcome.prices) {
      const row = books.get(quote.book) ?? { title: quote.book_title, age: quote.age_s, stale: quote.stale, quotes: [] };
      row.quotes[column] = { ...quote, best: !quote.stale && quote.price === best };
      books.set(quote.book, row);
    }
  });
  const rows = [...books.values()].sort((a, b) => a.stale - b.stale || a.title.localeCompare(b.title));
  return [fairRow(line), ...rows.map((row) => bookRow(row, line.outcomes.length))];
}

function fairRow(line) {
  const cells = line.outcomes.map((o) =>
    el("td", {}, show.price(o.fair_price), el("small", {}, show.percent(o.fair_probability))),
  );
  const basis = line.books ? `${line.books} books` : "not scored yet";
  return el("tr", { class: "fair" }, el("td", {}, `Fair (${basis})`), ...cells, el("td"));
}

function bookRow(row, outcomes) {
  const cells = Array.from({ length: outcomes }, (_, column) => {
    const quote = row.quotes[column];
    return el("td", { class: quote?.best ? "best" : null, title: quote ? `edge ${show.signed(quote.edge)}` : null }, show.price(quote?.price));
  });
  return el("tr", { class: row.stale ? "stale" : null }, el("td", {}, row.title), ...cells, el("td", {}, show.age(row.age)));
}
