import { type Permit, Semaphore } from "@twentysix/platform";
import { ApiError } from "../errors.ts";

/** Uploads that may be received at once; one more is refused rather than queued: its body would wait unread. */
export class UploadSlots {
  readonly #slots: Semaphore;

  constructor(maxConcurrent: number) {
    this.#slots = new Semaphore({ permits: maxConcurrent, maxWaiters: 0 });
  }

  /** @throws ApiError API_OVERLOADED */
  take(): Permit {
    const permit = this.#slots.tryAcquire();
    if (permit !== undefined) return permit;
    throw new ApiError(
      "API_OVERLOADED",
      "This node receives as many uploads as it can: try again in a moment",
      {},
      {
        "retry-after": "5",
      },
    );
  }
}
