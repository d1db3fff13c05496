// The alerts on the board: opened, updated, and for a moment closed.

const CLOSED_STAYS_MS = 6000;
const CLOCKS_DIFFER_S = 5;

export class Ledger {
  constructor(onChange) {
    this.alerts = new Map();
    this.onChange = onChange;
    this.latest = 0;
    this.confirmed = {};
    this.heardAt = 0;
  }

  // How long ago each sport's open bets were found to hold; null: nobody answers, and what was known grows old.
  confirmations(bySport) {
    if (bySport) {
      this.confirmed = bySport;
      this.heardAt = performance.now();
    }
    this.onChange();
  }

  // For how many seconds an open bet has not been confirmed, if that is longer than it may be; else null.
  // Confirmed in the future means by a clock that has been set back since: nobody knows when (Infinity).
  unconfirmed(alert) {
    const known = this.confirmed[alert.sport];
    if (!known || alert.state === "closed") return null;
    if (known.age_s < -CLOCKS_DIFFER_S) return Infinity;
    const age = known.age_s + (performance.now() - this.heardAt) / 1000;
    return age > known.allowed_s ? age : null;
  }

  // Take a snapshot of open alerts in place of everything known.
  reset(open) {
    this.alerts.clear();
    for (const alert of open) this.#keep(alert, false);
    this.onChange();
  }

  // Take a step from the stream. A repeated or late one changes nothing.
  apply(alert) {
    const known = this.alerts.get(alert.alert_id);
    if (known && known.seq >= alert.seq) return;
    if (alert.state === "closed") {
      if (!known) return;
      setTimeout(() => this.#forget(alert), CLOSED_STAYS_MS);
    }
    this.#keep(alert, !known);
    this.onChange();
  }

  open(kind) {
    return this.of(kind).filter((alert) => alert.state !== "closed");
  }

  of(kind) {
    return [...this.alerts.values()].filter((alert) => alert.kind === kind);
  }

  // What time it is for the feed: a replay's time stands where its last alert left it.
  now(feed) {
    return feed === "replay" ? this.latest : Date.now();
  }

  #keep(alert, isNew) {
    this.latest = Math.max(this.latest, Date.parse(alert.observed_at));
    const born = this.alerts.get(alert.alert_id)?.born ?? alert.id;
    this.alerts.set(alert.alert_id, { ...alert, isNew, born });
  }

  #forget(alert) {
    if (this.alerts.get(alert.alert_id)?.seq === alert.seq) this.alerts.delete(alert.alert_id);
    this.onChange();
  }
}

// Seconds since the book confirmed the price.
export const ageOf = (alert, now) =>
  alert.price_age_s === null ? null : Math.max(0, alert.price_age_s + (now - Date.parse(alert.observed_at)) / 1000);
