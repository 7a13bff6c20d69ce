import { NetworkError } from "@twentysix/network";
import type { ProcessLife } from "../world/process-life.ts";

/** When bytes arrive that are sent now: calls back then, in the order of the calls. */
export type Carry = (bytes: number, arrive: () => void) => void;

export interface PipeEnds {
  readonly sender: ProcessLife;
  readonly reader: ProcessLife;
  readonly carry: Carry;
}

/** Bytes on their way, or that nobody has read, before `send` waits. */
const MAX_HELD_BYTES = 1024 * 1024;

/** One direction of a stream. Whoever waits at an end whose process has ended waits for ever. */
export class Pipe {
  readonly #ends: PipeEnds;
  readonly #arrived: Uint8Array[] = [];
  #heldBytes = 0;
  #isEnded = false;
  /** Why it was broken off. */
  #broken: { readonly reason: unknown } | null = null;
  #wakeSender: (() => void)[] = [];
  #wakeReader: (() => void)[] = [];

  constructor(ends: PipeEnds) {
    this.#ends = ends;
  }

  async send(bytes: Uint8Array): Promise<void> {
    while (this.#heldBytes >= MAX_HELD_BYTES && this.#broken === null)
      await new Promise<void>((resolve) => this.#wakeSender.push(resolve));
    this.#assertWhole();
    const piece = bytes.slice();
    this.#heldBytes += piece.byteLength;
    this.#ends.carry(piece.byteLength, () => {
      this.#arrived.push(piece);
      this.#tellReader();
    });
  }

  end(): void {
    this.#ends.carry(0, () => {
      this.#isEnded = true;
      this.#tellReader();
    });
  }

  break(reason: unknown): void {
    this.#broken ??= { reason };
    this.#tellReader();
    this.#tellSender();
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      this.#assertWhole();
      const piece = this.#arrived.shift();
      if (piece !== undefined) {
        this.#heldBytes -= piece.byteLength;
        this.#tellSender();
        yield piece;
      } else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => this.#wakeReader.push(resolve));
    }
  }

  /** Most streams are broken off when both ends are through: an error is only made for whoever still uses one. */
  #assertWhole(): void {
    if (this.#broken === null) return;
    const { reason: cause } = this.#broken;
    throw new NetworkError("NETWORK_PEER_FAILED", "the stream broke off", { cause });
  }

  #tellSender(): void {
    if (this.#ends.sender.isEnded) return;
    const waiting = this.#wakeSender;
    this.#wakeSender = [];
    for (const wake of waiting) wake();
  }

  #tellReader(): void {
    if (this.#ends.reader.isEnded) return;
    const waiting = this.#wakeReader;
    this.#wakeReader = [];
    for (const wake of waiting) wake();
  }
}
