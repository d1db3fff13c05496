// Prices by book of one line: a row a book, a column an outcome; the best starred, the stale greyed.

import * as api from "./api.js";
import { $, el, options } from "./dom.js";
import * as show from "./format.js";

const REFRESH_MS = 5000;

export class Prices {
  constructor() {
    this.wanted = {};
    $("price-sport").addEventListener("change", (e) => this.pick({ sport: e.target.value }));
    $("price-event").addEventListener("change", (e) => this.pick({ ...this.wanted, event: Number(e.target.value), line: null }));
    $("price-line").addEventListener("change", (e) => this.pick({ ...this.wanted, line: e.target.value }));
  }

  sports(list) {
    options($("price-sport"), list.map((s) => [s.key, s.title]), this.wanted.sport);
    if (!this.wanted.sport && list.length) this.pick({ sport: list[0].key });
  }

  // Show an event, as {sport, event, line}; what is missing is chosen.
  async pick(wanted) {
    this.wanted = wanted;
    clearTimeout(this.timer);
    try {
      const events = await api.events(wanted.sport);
      const chosen = events.find((e) => e.event_id === wanted.event) ?? events[0];
      const odds = chosen ? await api.odds(wanted.sport, chosen.event_id) : { events: [] };
      if (wanted === this.wanted) this.#render(events, chosen, odds.events[0]?.lines ?? []);
    } catch {
      this.#say("Prices cannot be loaded right now.");
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pick(this.wanted), REFRESH_MS);
  }

  #render(events, chosen, lines) {
    $("price-sport").value = this.wanted.sport;
    options($("price-event"), events.map((e) => [e.event_id, show.event(e)]), chosen?.event_id);
    const line = lines.find((l) => lineKey(l) === this.wanted.line) ?? lines[0];
    options($("price-line"), lines.map((l) => [lineKey(l), lineName(l)]), line && lineKey(line));
    this.#say(line ? "" : "No prices are on offer.");
    const table = $("prices");
    table.tHead.replaceChildren(...(line ? [head(line)] : []));
    table.tBodies[0].replaceChildren(...(line ? body(line) : []));
  }

  #say(text) {
    $("prices-note").hidden = !text;
    $("prices-note").textContent = text;
  }
}

export const lineKey = (line) => `${line.market}|${line.point ?? ""}`;

// The line that an alert is about: the home side's point, as the odds have it.
export const lineOfAlert = (alert) =>
  lineKey({
    market: alert.market,
    point: alert.market === "spreads" && alert.outcome === "away" ? 0 - alert.point : alert.point,
  });

const lineName = (line) => `${show.market(line.market)} ${show.point(line.point, line.market)}`.trim();

function head(line) {
  const outcomes = line.outcomes.map((o) => el("th", {}, show.selection({ ...o, market: line.market })));
  return el("tr", {}, el("th", {}, "Book"), ...outcomes, el("th", {}, "Age"));
}

function body(line) {
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
  return el("tr", { class: "fair" }, el("td", {}, `Fair (${line.books} books)`), ...cells, el("td"));
}

function bookRow(row, outcomes) {
  const cells = Array.from({ length: outcomes }, (_, column) => {
    const quote = row.quotes[column];
    return el("td", { class: quote?.best ? "best" : null, title: quote ? `edge ${show.signed(quote.edge)}` : null }, show.price(quote?.price));
  });
  return el("tr", { class: row.stale ? "stale" : null }, el("td", {}, row.title), ...cells, el("td", {}, show.age(row.age)));
}
