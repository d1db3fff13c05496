// How the product fares, in words: the header's line, and what to do about each problem.

import { $, el, setText } from "./dom.js";
import * as show from "./format.js";

const TITLES = { ok: "Everything works", degraded: "Works in part", down: "Alerts are missing or late" };
const UNANSWERED = {
  status: "down",
  headline: "the server does not answer: this page shows what was last known",
  problems: [],
  credits: null,
};

export function renderHealth(answer) {
  const health = answer ?? UNANSWERED;
  const box = $("health");
  box.hidden = false;
  box.dataset.status = health.status;
  setText($("health-title"), health.problems.length || health.status !== "ok" ? TITLES[health.status] : heard(health));
  setText($("health-line"), health.status === "ok" && !health.problems.length ? "" : health.headline);
  $("health-details").hidden = health.problems.length === 0;
  $("health-problems").replaceChildren(...health.problems.map(problem));
  setText($("health-credits"), health.credits ? credits(health.credits) : "");
}

function heard(health) {
  return health.last_poll_at ? `${TITLES.ok}: prices as of ${show.time(health.last_poll_at)}` : `${TITLES.ok}: no prices yet`;
}

function problem(one) {
  const about = [one.detail, one.since && `since ${show.time(one.since)}`].filter(Boolean).join(" · ");
  return el(
    "li",
    { "data-severity": one.severity },
    el("b", {}, `${one.subject ? `${one.subject}: ` : ""}${one.meaning}`),
    el("span", { title: show.utc(one.since) }, about),
    el("span", { class: "todo" }, ...withCommands(one.what_to_do)),
  );
}

// Our own words, in which `commands` stand between backticks.
const withCommands = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));

function credits(known) {
  const left = known.remaining === null ? "left: unknown" : `${show.whole(known.remaining)} left`;
  const pace = known.lasts_until
    ? `at this pace they run out on ${show.date(known.lasts_until)}`
    : known.left_at_month_end === null
      ? null
      : `at this pace ${show.whole(known.left_at_month_end)} left at the month's end`;
  const spent = Object.entries(known.by_sport_today).map(([sport, n]) => `${sport} ${show.whole(n)}`);
  const words = [left, `${show.whole(known.used_today)} used today`, pace, spent.length ? `for ${spent.join(", ")}` : null];
  return `Credits: ${words.filter(Boolean).join(" · ")}`;
}
