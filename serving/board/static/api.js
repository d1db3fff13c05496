// The REST interface, relative to this page.

import { parse } from "./names.js";

const HEALTH_MS = 8000;

async function get(path) {
  const response = await fetch(`api/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return parse(await response.text());
}

// What a refused WebSocket does not tell a page: whether it was for the size of the cookies on this address.
export const sendsTooMuch = async () => (await fetch("healthz")).status === 431;

export const valueBets = () => get("value-bets?limit=1000");
export const arbitrages = () => get("arbitrage?limit=1000");
export const likelyErrors = () => get("likely-errors?limit=1000");
export const status = () => get("status");
export const sports = () => get("sports");
export const events = (sport) => get(`odds/${encodeURIComponent(sport)}/events`);
export const odds = (sport, event) => get(`odds/${encodeURIComponent(sport)}?event_id=${event}`);

// Answers in every state; a refused connection or a hung server rejects.
export async function health() {
  const response = await fetch("api/health", { signal: AbortSignal.timeout(HEALTH_MS) });
  if (!response.ok) throw new Error(`health: ${response.status}`);
  return response.json();
}

export async function session() {
  const response = await fetch("api/session", { method: "POST" });
  if (!response.ok) throw new Error(`session: ${response.status}`);
  return (await response.json()).token;
}
