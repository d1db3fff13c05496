// The alerts on the board. A closed alert stays visible for a few seconds.

const CLOSED_VISIBLE_MS = 6000;
const MAX_CLOCK_SKEW_S = 5;

export class AlertStore {
  constructor(onChange) {
    this.alerts = new Map();
    this.onChange = onChange;
    this.latestObservedAt = 0;
    this.confirmationBySport = {};
    this.confirmationsReceivedAt = 0;
  }

  // Store how long ago each sport's open bets were confirmed; null: no answer, so the stored ages keep growing.
  setConfirmations(bySport) {
    if (bySport) {
      this.confirmationBySport = bySport;
      this.confirmationsReceivedAt = performance.now();
    }
    this.onChange();
  }

  // Seconds since an open bet was confirmed, if longer than allowed; otherwise null.
  // A confirmation in the future was made before the clock was set back: its age is unknown (Infinity).
  unconfirmedSeconds(alert) {
    const confirmation = this.confirmationBySport[alert.sport];
    if (!confirmation || alert.state === "closed") return null;
    if (confirmation.age_s < -MAX_CLOCK_SKEW_S) return Infinity;
    const age = confirmation.age_s + (performance.now() - this.confirmationsReceivedAt) / 1000;
    return age > confirmation.allowed_s ? age : null;
  }

  // Replace everything with a snapshot of open alerts.
  reset(open) {
    this.alerts.clear();
    for (const alert of open) this.#put(alert, false);
    this.onChange();
  }

  // Apply a step from the stream. A repeated or outdated step changes nothing.
  apply(alert) {
    const known = this.alerts.get(alert.alert_id);
    if (known && known.seq >= alert.seq) return;
    if (alert.state === "closed") {
      if (!known) return;
      setTimeout(() => this.#remove(alert), CLOSED_VISIBLE_MS);
    }
    this.#put(alert, !known);
    this.onChange();
  }

  listOpen(kind) {
    return this.list(kind).filter((alert) => alert.state !== "closed");
  }

  list(kind) {
    return [...this.alerts.values()].filter((alert) => alert.kind === kind);
  }

  // The feed's current time in ms: in a replay, that of the latest alert.
  feedTime(feed) {
    return feed === "replay" ? this.latestObservedAt : Date.now();
  }

  #put(alert, isNew) {
    this.latestObservedAt = Math.max(this.latestObservedAt, Date.parse(alert.observed_at));
    const firstId = this.alerts.get(alert.alert_id)?.firstId ?? alert.id; // of the alert's first step
    this.alerts.set(alert.alert_id, { ...alert, isNew, firstId });
  }

  #remove(alert) {
    if (this.alerts.get(alert.alert_id)?.seq === alert.seq) this.alerts.delete(alert.alert_id);
    this.onChange();
  }
}

// Seconds since the book confirmed the price.
export const priceAge = (alert, now) =>
  alert.price_age_s === null ? null : Math.max(0, alert.price_age_s + (now - Date.parse(alert.observed_at)) / 1000);
