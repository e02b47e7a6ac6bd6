/** The WebSocket to the server: JSON in both directions, opened again by itself with growing, bounded pauses. */

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

export class Connection {
  /** `onOpen()` after every (re)connect, `onMessage(object)`, `onLost()`. */
  constructor({ onOpen, onMessage, onLost }) {
    Object.assign(this, { onOpen, onMessage, onLost, pause: FIRST_PAUSE_MS, socket: null });
    this.#open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Send now or return false; nothing is queued, so that no old click runs later. */
  send(message) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}/page`);
    this.socket.addEventListener("open", () => {
      this.pause = FIRST_PAUSE_MS;
      this.onOpen();
    });
    this.socket.addEventListener("message", (event) => this.onMessage(JSON.parse(event.data)));
    this.socket.addEventListener("close", () => this.#again());
  }

  #again() {
    this.onLost();
    setTimeout(() => this.#open(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }
}
