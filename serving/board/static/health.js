// The health of the product: a headline, and what to do about each problem.

import { $, el, setText } from "./dom.js";
import * as show from "./format.js";

const TITLES = { ok: "Everything works", degraded: "Partly working", down: "Alerts are missing or late" };
const NO_ANSWER = {
  status: "down",
  headline: "server not responding: showing the last known state",
  problems: [],
  credits: null,
};

export function renderHealth(answer) {
  const health = answer ?? NO_ANSWER;
  const box = $("health");
  box.hidden = false;
  box.dataset.status = health.status;
  setText($("health-title"), health.problems.length || health.status !== "ok" ? TITLES[health.status] : lastPollText(health));
  setText($("health-line"), health.status === "ok" && !health.problems.length ? "" : health.headline);
  $("health-details").hidden = health.problems.length === 0;
  $("health-problems").replaceChildren(...health.problems.map(problemItem));
  setText($("health-credits"), health.credits ? creditsText(health.credits) : "");
}

function lastPollText(health) {
  return health.last_poll_at ? `${TITLES.ok}: prices as of ${show.time(health.last_poll_at)}` : `${TITLES.ok}: no prices yet`;
}

function problemItem(problem) {
  const about = [problem.detail, problem.since && `since ${show.time(problem.since)}`].filter(Boolean).join(" · ");
  return el(
    "li",
    { "data-severity": problem.severity },
    el("b", {}, `${problem.subject ? `${problem.subject}: ` : ""}${problem.meaning}`),
    el("span", { title: show.utc(problem.since) }, about),
    el("span", { class: "todo" }, ...markCommands(problem.what_to_do)),
  );
}

// Our own text, in which backticks enclose `commands`.
const markCommands = (text) => text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));

function creditsText(credits) {
  const left = credits.remaining === null ? "balance unknown" : `${show.integer(credits.remaining)} left`;
  const forecast = credits.lasts_until
    ? `running out on ${show.date(credits.lasts_until)} at the current rate`
    : credits.left_at_month_end === null
      ? null
      : `${show.integer(credits.left_at_month_end)} left at month end at the current rate`;
  const spent = Object.entries(credits.by_sport_today).map(([sport, n]) => `${sport} ${show.integer(n)}`);
  const parts = [left, `${show.integer(credits.used_today)} used today`, forecast, spent.length ? `today by sport: ${spent.join(", ")}` : null];
  return `Credits: ${parts.filter(Boolean).join(" · ")}`;
}
