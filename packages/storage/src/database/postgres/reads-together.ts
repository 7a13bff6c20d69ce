import type { WireStatement } from "./session-protocol.ts";

/** Thrown where a read is not answered yet: its piece of work is run again when it is. */
export const NOT_YET: unique symbol = Symbol("not answered yet");

/**
 * The reads of several pieces of work. In each round every piece runs as far as it gets with the answers that are
 * there; what they lack is asked for together. So the round trips are as many as the longest piece has reads one
 * after the other, not as many as there are reads.
 */
export class ReadsTogether<Answer> {
  readonly #answers = new Map<string, Answer>();
  #wanted = new Map<string, WireStatement>();

  /**
   * @param ask the answers to statements, in their order
   * @throws whatever a piece throws, or `ask`
   */
  run(work: Iterable<() => void>, ask: (statements: readonly WireStatement[]) => readonly Answer[]): void {
    let open = [...work];
    for (;;) {
      open = open.filter((piece) => !isDone(piece));
      if (open.length === 0) return;
      const wanted = [...this.#wanted];
      this.#wanted = new Map();
      if (wanted.length === 0) throw new Error("A read together waits for nothing");
      const answers = ask(wanted.map(([, statement]) => statement));
      for (const [at, [key]] of wanted.entries()) {
        const answer = answers[at];
        if (answer !== undefined) this.#answers.set(key, answer);
      }
    }
  }

  /** @throws NOT_YET */
  answerTo(statement: WireStatement): Answer {
    const key = keyOf(statement);
    const answer = this.#answers.get(key);
    if (answer !== undefined) return answer;
    this.#wanted.set(key, statement);
    throw NOT_YET;
  }
}

function isDone(piece: () => void): boolean {
  try {
    piece();
    return true;
  } catch (error) {
    if (error === NOT_YET) return false;
    throw error;
  }
}

function keyOf({ text, values }: WireStatement): string {
  const parts = (values ?? []).map((value) => {
    if (value instanceof Uint8Array)
      return `x${Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex")}`;
    return `${typeof value} ${value}`;
  });
  return JSON.stringify([text, ...parts]);
}
