import { GuestApiError } from "./errors.ts";

const MAX_BYTES_OF_PROGRAM = 32 * 1024 ** 2;
const MAX_BYTES = 256 * 1024 ** 2;

/** How much of what programs are sending this node keeps in memory at once, of one and of all. */
export class BodyBudget {
  readonly #ofPrograms = new Map<string, number>();
  #bytes = 0;

  /** @throws GuestApiError 503 */
  take(vmHash: string, bytes: number): void {
    const own = this.#ofPrograms.get(vmHash) ?? 0;
    if (own + bytes > MAX_BYTES_OF_PROGRAM || this.#bytes + bytes > MAX_BYTES) {
      throw new GuestApiError(503, "Too much is being sent at once: try again when some of it has arrived");
    }
    this.#ofPrograms.set(vmHash, own + bytes);
    this.#bytes += bytes;
  }

  giveBack(vmHash: string, bytes: number): void {
    const left = (this.#ofPrograms.get(vmHash) ?? 0) - bytes;
    if (left > 0) this.#ofPrograms.set(vmHash, left);
    else this.#ofPrograms.delete(vmHash);
    this.#bytes -= bytes;
  }
}
