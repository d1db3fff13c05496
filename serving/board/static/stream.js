// The live stream: connects, resumes after the last alert received, and reports its state.

import { areCookiesTooLarge } from "./api.js";
import { parseJson } from "./safe-text.js";

const COOKIES_TOO_LARGE =
  "not connected: too many cookies from other programs on this address. Clear this page's cookies, or open it as localhost instead of 127.0.0.1";
const UNAUTHORISED = 4401;
const UNKNOWN_RESUME_ID = 4409;
const MAX_RETRY_MS = 10_000;

export class AlertStream {
  // token(): promise of a token, or of null if the user must enter one.
  // onState(state, text): live | connecting | refused.
  // onReset("token"): the server refused the token. onReset("database"): the server has another database.
  constructor({ token, onAlert, onHello, onState, onReset }) {
    Object.assign(this, { token, onAlert, onHello, onState, onReset });
    this.after = null;
    this.failures = 0;
  }

  async connect(after = this.after) {
    this.after = after;
    clearTimeout(this.retry);
    this.onState("connecting", "connecting");
    let token = null;
    try {
      token = await this.token();
    } catch {
      return this.#scheduleReconnect();
    }
    if (token === null) return this.onState("refused", "token needed");
    const url = new URL("ws/alerts", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.onopen = () => {
      socket.wasOpen = true;
      socket.send(JSON.stringify({ token, after: this.after }));
    };
    socket.onmessage = ({ data }) => this.#onMessage(socket, parseJson(data));
    socket.onclose = ({ code, reason }) => socket === this.socket && this.#onClose(code, reason, socket.wasOpen);
  }

  #onMessage(socket, message) {
    if (message.type === "hello") {
      this.failures = 0;
      this.silenceLimitMs = message.heartbeat_seconds * 2000;
      this.after ??= message.last_id;
      this.onState("live", "live");
      this.onHello(message);
    } else if (!message.type) {
      this.after = message.id;
      this.onAlert(message);
    }
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => socket.close(), this.silenceLimitMs);
  }

  async #onClose(code, reason, wasOpen) {
    clearTimeout(this.watchdog);
    if (code === UNAUTHORISED) return this.onState("refused", reason), this.onReset("token");
    if (code === UNKNOWN_RESUME_ID) return this.onReset("database");
    const why = !wasOpen && (await areCookiesTooLarge().catch(() => false)) ? COOKIES_TOO_LARGE : null;
    this.#scheduleReconnect(why);
  }

  #scheduleReconnect(why = null) {
    const wait = Math.min(MAX_RETRY_MS, 500 * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.onState("connecting", why ?? `reconnecting in ${Math.ceil(wait / 1000)} s`);
    this.retry = setTimeout(() => this.connect(), wait);
  }
}
