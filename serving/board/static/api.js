// REST calls, relative to this page.

import { parseJson } from "./safe-text.js";

const HEALTH_TIMEOUT_MS = 8000;

async function getJson(path) {
  const response = await fetch(`api/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return parseJson(await response.text());
}

// Whether requests are refused because of the size of the cookies: a page cannot see why a WebSocket failed.
export const areCookiesTooLarge = async () => (await fetch("healthz")).status === 431;

export const fetchValueBets = () => getJson("value-bets?limit=1000");
export const fetchArbitrages = () => getJson("arbitrage?limit=1000");
export const fetchLikelyErrors = () => getJson("likely-errors?limit=1000");
export const fetchStatus = () => getJson("status");
export const fetchSports = () => getJson("sports");
export const fetchEvents = (sport) => getJson(`odds/${encodeURIComponent(sport)}/events`);
export const fetchOdds = (sport, event) => getJson(`odds/${encodeURIComponent(sport)}?event_id=${event}`);

// Resolves in every state of health; rejects if the server cannot be reached or hangs.
export async function fetchHealth() {
  const response = await fetch("api/health", { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`health: ${response.status}`);
  return response.json();
}

export async function createSession() {
  const response = await fetch("api/session", { method: "POST" });
  if (!response.ok) throw new Error(`session: ${response.status}`);
  return (await response.json()).token;
}
