/** Searches in selects that are on their way to the app: each has a number, by which its answer finds back. */

const LOST = "Not connected just now";

export class Searches {
  /** `send(message)` returns false without a connection. */
  constructor(send) {
    Object.assign(this, { send, number: 0, waiting: new Map() });
  }

  /** What the app answers: `{options}` or `{option_groups}`, or `{trouble, why}`. */
  ask({ view, channel, ts, ephemeral, blockId, actionId, typed }) {
    const number = ++this.number;
    const where = view ? { view } : { channel, ts, ephemeral };
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      const sent = this.send({ op: "search", ...where, block_id: blockId, action_id: actionId, typed, number });
      if (!sent) this.take({ number, trouble: LOST });
    });
  }

  take(answer) {
    this.waiting.get(answer.number)?.(answer);
    this.waiting.delete(answer.number);
  }

  /** No answer comes any more to what was asked. */
  lost() {
    for (const number of [...this.waiting.keys()]) this.take({ number, trouble: LOST });
  }
}
