// Numbers and times as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

const missing = "–";
const known = (value, show) => (value === null || value === undefined || Number.isNaN(value) ? missing : show(value));

export const price = (value) => known(value, (v) => v.toFixed(v < 10 ? 2 : 1));
export const percent = (value, digits = 1) => known(value, (v) => `${(v * 100).toFixed(digits)}%`);
export const signed = (value) => known(value, (v) => `${v > 0 ? "+" : ""}${percent(v)}`);
export const range = (low, high) => known(low, () => `${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)}%`);
export const money = (value) =>
  known(value, (v) => v.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
export const whole = (value) => known(value, (v) => Math.round(v).toLocaleString());
export const latency = (ms) => known(ms, (v) => (v < 1000 ? `${Math.round(v)} ms` : `${(v / 1000).toFixed(1)} s`));
export const time = (iso) => known(iso, (v) => clock.format(new Date(v)));
export const start = (iso) => known(iso, (v) => day.format(new Date(v)));
export const date = (iso) => known(iso, (v) => new Date(v).toISOString().slice(0, 10));
export const utc = (iso) => known(iso, (v) => `${new Date(v).toISOString().replace("T", " ").slice(0, 19)} UTC`);

export function age(seconds) {
  return known(seconds, (s) => {
    if (s < 60) return `${Math.max(0, Math.round(s))} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return `${Math.floor(s / 3600)} h`;
  });
}

// What makes a bet doubtful: nobody has confirmed it for so many seconds, or it was announced late.
export function doubt(unconfirmed, late) {
  if (unconfirmed === Infinity) return "not confirmed since the clock was set back: it may be gone";
  if (unconfirmed !== null) return `not confirmed for ${age(unconfirmed)}: it may be gone`;
  return late ? `announced ${age(late)} late: look at the price first` : "";
}

const markets = { h2h: "Winner", h2h_3_way: "Winner, three-way", spreads: "Spread", totals: "Total" };
export const market = (key) => markets[key] ?? key.replaceAll("_", " ");

export function point(value, key) {
  if (value === null || value === undefined) return "";
  return key === "spreads" && value > 0 ? `+${value}` : `${value}`;
}

export const selection = (bet) => [bet.selection, point(bet.point, bet.market)].filter(Boolean).join(" ");
export const event = (e) => (e.home_team && e.away_team ? `${e.home_team} – ${e.away_team}` : e.event);
const agreements = {
  same: ["rules: same", "The books' settlement rules are known, and equal"],
  differ: ["rules: differ", "The books settle differently: in some case one bet loses or is void and the other does not win"],
  unknown: ["rules: unknown", "Not all of the books' settlement rules are known: check them before betting"],
};
export const rules = (key) => agreements[key] ?? agreements.unknown;
export const reason = (key) => (key ?? "closed").replaceAll("_", " ");
