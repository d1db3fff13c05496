// The live stream: connects, resumes after the last alert seen, and says how it is.

import { sendsTooMuch } from "./api.js";
import { parse } from "./names.js";

const TOO_MUCH =
  "not connected: other programs on this address have set too many cookies. Clear this page's cookies, or open it as localhost instead of 127.0.0.1";
const UNAUTHORISED = 4401;
const UNKNOWN_RESUME_ID = 4409;
const LONGEST_WAIT_MS = 10_000;

export class AlertStream {
  // token(): promise of a token, or null if the user must give one. onState(state, text): live | connecting | refused.
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
      return this.#again();
    }
    if (token === null) return this.onState("refused", "token needed");
    const url = new URL("ws/alerts", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.onopen = () => {
      socket.wasOpen = true;
      socket.send(JSON.stringify({ token, after: this.after }));
    };
    socket.onmessage = ({ data }) => this.#hear(socket, parse(data));
    socket.onclose = ({ code, reason }) => socket === this.socket && this.#closed(code, reason, socket.wasOpen);
  }

  #hear(socket, message) {
    if (message.type === "hello") {
      this.failures = 0;
      this.silence = message.heartbeat_seconds * 2000;
      this.after ??= message.last_id;
      this.onState("live", "live");
      this.onHello(message);
    } else if (!message.type) {
      this.after = message.id;
      this.onAlert(message);
    }
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => socket.close(), this.silence);
  }

  async #closed(code, reason, wasOpen) {
    clearTimeout(this.watchdog);
    if (code === UNAUTHORISED) return this.onState("refused", reason), this.onReset("token");
    if (code === UNKNOWN_RESUME_ID) return this.onReset("world");
    const why = !wasOpen && (await sendsTooMuch().catch(() => false)) ? TOO_MUCH : null;
    this.#again(why);
  }

  #again(why = null) {
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.onState("connecting", why ?? `reconnecting in ${Math.ceil(wait / 1000)} s`);
    this.retry = setTimeout(() => this.connect(), wait);
  }
}
