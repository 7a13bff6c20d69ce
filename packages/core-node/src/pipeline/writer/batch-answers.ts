import { errorOfCode, type JsonValue, type MessageError } from "@twentysix/protocol";
import type { BatchReport, CopyResult, ItemChange } from "./jobs.ts";
import type { Submission } from "./submission.ts";

/** What a batch tells: those who submitted what became of their copies, everyone which items changed. */
export class BatchAnswers {
  readonly #results: CopyResult[] = [];
  readonly #changes: ItemChange[] = [];
  #processed = 0;

  /** An item has another status now. */
  change(itemHash: string, status: ItemChange["status"], error: MessageError | null): void {
    if (status === "processed") this.#processed += 1;
    this.#changes.push({ itemHash, status, error });
  }

  /** A copy that is not refused for what it is. */
  answer(
    submission: Submission,
    itemHash: string,
    status: CopyResult["status"],
    error: MessageError | null,
    known: boolean,
  ): void {
    this.push(submission, { itemHash, status, refused: false, known }, error);
  }

  /** Candidates that are tried again have nobody who waits for an answer. */
  push(
    { jobId }: Submission,
    answer: Pick<CopyResult, "itemHash" | "status" | "refused" | "known">,
    error: MessageError | null,
  ): void {
    if (jobId === null) return;
    if (error === null) this.#results.push({ jobId, ...answer });
    else {
      this.#results.push({
        jobId,
        ...answer,
        errorCode: error.code,
        errorText: errorOfCode(error.code)?.text ?? error.name,
        details: error.details as JsonValue,
      });
    }
  }

  report(): Omit<BatchReport, "sideJobs" | "woken"> {
    return { results: this.#results, changes: this.#changes, processed: this.#processed };
  }
}
