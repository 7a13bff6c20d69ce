import { budgetKey, isLoopback } from "@twentysix/platform";
import { FunctionError } from "./function-error.ts";

/** Requests of each client to each program that are under way: one client does not take all places of a program. */
export class ClientPlaces {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * The machine itself is not limited: behind a proxy that is not named, all clients look like it.
   *
   * @returns gives the place back
   * @throws FunctionError 429
   */
  take(vmHash: string, address: string): () => void {
    if (isLoopback(address)) return () => {};
    const client = budgetKey(address);
    const key = `${vmHash} ${client}`;
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#max) {
      const text = `${this.#max} requests of ${client} to this program are under way: try again`;
      throw new FunctionError(429, text, { headers: { "retry-after": "1" } });
    }
    this.#taken.set(key, taken + 1);
    return () => this.#giveBack(key);
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left === 0) this.#taken.delete(key);
    else this.#taken.set(key, left);
  }
}
