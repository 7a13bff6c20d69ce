import { encodeGossip } from "./gossip-text.ts";

/** Characters that wait for a peer. What is left out then reaches peers when they compare what they have. */
const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_ATTEMPTS = 10;

interface Waiting {
  readonly text: string;
  readonly attempts: number;
}

/** Messages that were published while nobody was there to take them. The oldest give way. */
export class Unsent {
  #waiting: Waiting[] = [];
  #characters = 0;

  get size(): number {
    return this.#waiting.length;
  }

  add(text: string, attempts = 1): void {
    if (attempts >= MAX_ATTEMPTS) return;
    this.#waiting.push({ text, attempts });
    this.#characters += text.length;
    while (this.#characters > MAX_CHARACTERS) this.#characters -= this.#waiting.shift()?.text.length ?? 0;
  }

  /** Tries each once more; `send` says how many took it. What was sent before as the same bytes would go nowhere. */
  async retry(send: (data: Uint8Array) => Promise<number>): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    for (const { text, attempts } of waiting) {
      const recipients = await send(encodeGossip(`${text}${" ".repeat(attempts)}`));
      if (recipients === 0) this.add(text, attempts + 1);
    }
  }
}
