import { isOwnerItself } from "@twentysix/protocol";
import type { MessageStore } from "@twentysix/storage";
import type { CopyJob, CopyResult, SideJob } from "./jobs.ts";

type Store = Pick<
  MessageStore,
  "registerFile" | "putConfirmation" | "noteFiles" | "applyChain" | "decideSignature"
>;

/** Does what is to be done before the copies of a batch. Returns the messages whose confirmations changed. */
export function runSideJobs(store: Store, jobs: readonly SideJob[], nowMicros: bigint): string[] {
  const confirmed: string[] = [];
  for (const job of jobs) {
    switch (job.kind) {
      case "file":
        store.registerFile(job.file, nowMicros, job.graceUntilMicros);
        break;
      case "confirmation":
        store.putConfirmation(job.confirmation);
        confirmed.push(job.confirmation.hash);
        break;
      case "signature":
        store.decideSignature(job.decision, nowMicros);
        break;
      case "note":
        store.noteFiles(job.note, nowMicros);
        break;
      case "chain":
        for (const each of store.applyChain(job.change, nowMicros)) confirmed.push(each);
        break;
    }
  }
  return confirmed;
}

/**
 * Records the confirmations of copies before they are judged, so that messages are dated by them. A refused copy
 * proves nothing; of a copy without signature only what its sender owns is taken here: else whoever pays for a
 * transaction could confirm the messages of others. See `confirmAccepted` for the rest.
 */
export function confirmCopies(store: Store, copies: readonly CopyJob[]): string[] {
  return copies.flatMap(({ copy, confirmation }) => {
    if (confirmation === undefined || copy.kind === "refused") return [];
    const { vouches, ...link } = confirmation;
    const { itemHash: hash, sender } = copy.kind === "message" ? copy.message.envelope : copy.envelope;
    if (vouches && !(copy.kind === "message" && isOwnerItself(sender, copy.message.content.owner))) return [];
    store.putConfirmation({ ...link, hash });
    return [hash];
  });
}

/** Records the confirmations of copies that were accepted, whoever owns them. */
export function confirmAccepted(
  store: Store,
  copies: readonly CopyJob[],
  results: readonly CopyResult[],
): void {
  for (const { jobId, confirmation } of copies) {
    if (confirmation?.vouches !== true) continue;
    const result = results.find((one) => one.jobId === jobId);
    if (result?.status !== "processed" || result.itemHash === null) continue;
    const { vouches: _vouches, ...link } = confirmation;
    store.putConfirmation({ ...link, hash: result.itemHash });
  }
}

export const sideWakes = (jobs: readonly SideJob[]): string[] =>
  jobs.flatMap((job) => (job.kind === "file" ? [`file:${job.file.hash}`] : []));
