import type { BatchReport, CopyResult, ItemChange } from "./writer/jobs.ts";

/**
 * A report on its way between threads. What nearly every message of a large import comes to, "processed, by a copy
 * that was new", travels as columns: cloning an object for each costs more than judging it.
 */
export interface PackedReport extends Omit<BatchReport, "results" | "changes"> {
  readonly accepted: { readonly jobIds: readonly number[]; readonly itemHashes: string };
  readonly results: readonly CopyResult[];
  /** Items that became processed, in order, up to the first of the other changes. */
  readonly becameProcessed: string;
  readonly changes: readonly ItemChange[];
}

/** No item hash holds it. */
const SEPARATOR = "\n";

export function packReport(report: BatchReport): PackedReport {
  const jobIds: number[] = [];
  const itemHashes: string[] = [];
  const results: CopyResult[] = [];
  for (const result of report.results) {
    if (!isPlain(result)) {
      results.push(result);
      continue;
    }
    jobIds.push(result.jobId);
    itemHashes.push(result.itemHash);
  }
  const firstOther = report.changes.findIndex(
    ({ status, error }) => status !== "processed" || error !== null,
  );
  const plain = firstOther < 0 ? report.changes : report.changes.slice(0, firstOther);
  return {
    accepted: { jobIds, itemHashes: itemHashes.join(SEPARATOR) },
    results,
    becameProcessed: plain.map(({ itemHash }) => itemHash).join(SEPARATOR),
    changes: report.changes.slice(plain.length),
    sideJobs: report.sideJobs,
    processed: report.processed,
    woken: report.woken,
  };
}

/** Results come in another order than they were packed in; changes in the same. */
export function unpackReport(packed: PackedReport): BatchReport {
  const { accepted, becameProcessed, results, changes, ...rest } = packed;
  const hashes = split(accepted.itemHashes);
  const plain = accepted.jobIds.map(
    (jobId, at): CopyResult => ({
      jobId,
      itemHash: hashes[at] ?? null,
      status: "processed",
      refused: false,
      known: false,
    }),
  );
  const processed = split(becameProcessed).map(
    (itemHash): ItemChange => ({ itemHash, status: "processed", error: null }),
  );
  return { ...rest, results: [...plain, ...results], changes: [...processed, ...changes] };
}

const split = (joined: string): string[] => (joined === "" ? [] : joined.split(SEPARATOR));

function isPlain(result: CopyResult): result is CopyResult & { readonly itemHash: string } {
  const { itemHash, status, refused, known, errorCode, errorText, details } = result;
  return (
    itemHash !== null &&
    status === "processed" &&
    !refused &&
    !known &&
    errorCode === undefined &&
    errorText === undefined &&
    details === undefined
  );
}
