import { createDeferred, type Deferred } from "@twentysix/platform";
import type { ReadBlob } from "./blob-contents.ts";

/** Asks another thread for the bytes of files and waits for its answers. */
export class AskedBlobs {
  readonly #ask: (request: { requestId: number; sha256: string; sizeBytes: number }) => void;
  readonly #waiting = new Map<number, Deferred<Uint8Array | null>>();
  #lastId = 0;

  constructor(ask: (request: { requestId: number; sha256: string; sizeBytes: number }) => void) {
    this.#ask = ask;
  }

  /** The other thread bounds how long it takes, and always answers. */
  readonly read: ReadBlob = (sha256, sizeBytes) => {
    this.#lastId += 1;
    const answer = createDeferred<Uint8Array | null>();
    this.#waiting.set(this.#lastId, answer);
    this.#ask({ requestId: this.#lastId, sha256, sizeBytes });
    return answer.promise;
  };

  answered(requestId: number, bytes: Uint8Array | null): void {
    this.#waiting.get(requestId)?.resolve(bytes);
    this.#waiting.delete(requestId);
  }
}
