// Numbers, times and labels as shown on the board.

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dateTimeFormat = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

const MISSING = "–";
const formatIfKnown = (value, format) => (value === null || value === undefined || Number.isNaN(value) ? MISSING : format(value));

export const price = (value) => formatIfKnown(value, (v) => v.toFixed(v < 10 ? 2 : 1));
export const percent = (value, digits = 1) => formatIfKnown(value, (v) => `${(v * 100).toFixed(digits)}%`);
export const signed = (value) => formatIfKnown(value, (v) => `${v > 0 ? "+" : ""}${percent(v)}`);
export const range = (low, high) => formatIfKnown(low, () => `${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)}%`);
export const money = (value) =>
  formatIfKnown(value, (v) => v.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
export const integer = (value) => formatIfKnown(value, (v) => Math.round(v).toLocaleString());
export const latency = (ms) => formatIfKnown(ms, (v) => (v < 1000 ? `${Math.round(v)} ms` : `${(v / 1000).toFixed(1)} s`));
export const time = (iso) => formatIfKnown(iso, (v) => timeFormat.format(new Date(v)));
export const start = (iso) => formatIfKnown(iso, (v) => dateTimeFormat.format(new Date(v)));
export const date = (iso) => formatIfKnown(iso, (v) => new Date(v).toISOString().slice(0, 10));
export const utc = (iso) => formatIfKnown(iso, (v) => `${new Date(v).toISOString().replace("T", " ").slice(0, 19)} UTC`);

export function age(seconds) {
  return formatIfKnown(seconds, (s) => {
    if (s < 60) return `${Math.max(0, Math.round(s))} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return `${Math.floor(s / 3600)} h`;
  });
}

// Why a bet may no longer be available: not confirmed for so many seconds, or published late.
export function unconfirmedText(unconfirmed, late) {
  if (unconfirmed === Infinity) return "not confirmed since the clock was set back: may be gone";
  if (unconfirmed !== null) return `not confirmed for ${age(unconfirmed)}: may be gone`;
  return late ? `published ${age(late)} late: check the price first` : "";
}

const MARKET_TITLES = { h2h: "Winner", h2h_3_way: "Winner, three-way", spreads: "Spread", totals: "Total" };
export const market = (key) => MARKET_TITLES[key] ?? key.replaceAll("_", " ");

export function point(value, key) {
  if (value === null || value === undefined) return "";
  return key === "spreads" && value > 0 ? `+${value}` : `${value}`;
}

export const selection = (bet) => [bet.selection, point(bet.point, bet.market)].filter(Boolean).join(" ");
export const event = (e) => (e.home_team && e.away_team ? `${e.home_team} – ${e.away_team}` : e.event);
const RULES_TEXTS = {
  same: ["rules: same", "The books' settlement rules are known and agree"],
  differ: ["rules: differ", "The books settle differently: in some cases one bet loses or is void and the other does not win"],
  unknown: ["rules: unknown", "Not all of the books' settlement rules are known: check them before betting"],
};
export const rules = (key) => RULES_TEXTS[key] ?? RULES_TEXTS.unknown;
export const reason = (key) => (key ?? "closed").replaceAll("_", " ");
