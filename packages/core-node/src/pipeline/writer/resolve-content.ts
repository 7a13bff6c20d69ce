import { type Envelope, type MessageError, messageError } from "@twentysix/protocol";
import type { PreparedContent } from "@twentysix/state";
import type { Candidate } from "@twentysix/storage";
import type { CopyReader } from "../copy-reader.ts";
import type { BatchInput } from "./batch-writer.ts";
import type { CopyJob } from "./jobs.ts";
import type { Submission } from "./submission.ts";
import { signatureErrorOf, undecidedError } from "./undecided-signatures.ts";

/** Where the contents of messages that are not inline are read from. */
export interface ContentSource {
  /** Told which contents will be read next, in their order: time to fetch some of them. */
  ahead?(itemHashes: readonly string[]): void;
  /** The verified text of a content, null when this node does not hold it. */
  read(itemHash: string): Promise<string | null>;
}

/** Contents of one batch together; the copy that passes it is the last of its batch. */
export const MAX_BATCH_CONTENT_BYTES = 16 * 1024 * 1024;

/** What one field, target or reference of a content takes once it is read, beside its bytes. */
const PART_BYTES = 200;

/**
 * Brings the copies of a batch, in their order, to the point where they can be judged, or knows why they cannot:
 * as many as the bound on contents lets in, and at least one. Candidates without room are found again as they are due.
 */
export async function resolveContents(
  input: BatchInput,
  reader: CopyReader,
  contents: ContentSource,
  maxContentBytes: number,
): Promise<Submission[]> {
  const submissions: Submission[] = [];
  let bytes = 0;
  contents.ahead?.([
    ...input.candidates.map(({ hash }) => hash),
    ...input.copies.flatMap(({ copy }) => (copy.kind === "incomplete" ? [copy.envelope.itemHash] : [])),
  ]);
  const take = (submission: Submission): void => {
    submissions.push(submission);
    if (submission.message !== null) bytes += weightOf(submission.message.content);
  };
  for (const candidate of input.candidates) {
    if (bytes >= maxContentBytes) return submissions;
    take(await resolveCandidate(candidate, reader, contents));
  }
  for (const job of input.copies) {
    if (bytes >= maxContentBytes) return submissions;
    take(await resolveJob(job, reader, contents));
  }
  return submissions;
}

/** About how much memory a content takes that was read: many small fields take more than their text. */
function weightOf({ sizeBytes, detail }: PreparedContent): number {
  switch (detail.kind) {
    case "AGGREGATE":
      return sizeBytes + detail.fields.length * PART_BYTES;
    case "FORGET":
      return sizeBytes + (detail.hashes.length + detail.aggregates.length) * PART_BYTES;
    case "POST":
    case "STORE":
      return sizeBytes;
    default:
      return sizeBytes + detail.references.length * PART_BYTES;
  }
}

async function resolveJob(job: CopyJob, reader: CopyReader, contents: ContentSource): Promise<Submission> {
  const base = {
    jobId: job.jobId,
    origin: job.origin,
    receptionMicros: job.receptionMicros,
    attempts: 0,
    candidateId: null,
    ...(job.skeletons === undefined ? {} : { skeletons: job.skeletons }),
  };
  switch (job.copy.kind) {
    case "message": {
      const { message } = job.copy;
      return { ...base, message, envelope: message.envelope, raw: message.envelopeText, error: null };
    }
    case "refused":
      return {
        ...base,
        message: null,
        envelope: null,
        itemHash: job.copy.itemHash,
        raw: job.copy.raw,
        error: job.copy.error,
      };
    case "undecided": {
      const { envelope, envelopeText: raw } = job.copy;
      return { ...base, message: null, envelope, raw, error: undecidedError() };
    }
    case "incomplete":
      return { ...base, ...(await complete(job.copy.envelope, job.copy.envelopeText, reader, contents)) };
  }
}

async function resolveCandidate(
  candidate: Candidate,
  reader: CopyReader,
  contents: ContentSource,
): Promise<Submission> {
  const base = {
    jobId: null,
    origin: candidate.origin,
    receptionMicros: candidate.receptionMicros,
    attempts: candidate.attempts,
    candidateId: candidate.id,
  };
  const error = signatureErrorOf(candidate);
  if (error !== null) {
    const envelope = reader.envelope(candidate.envelopeText);
    return { ...base, message: null, envelope, raw: candidate.envelopeText, error };
  }
  const message = reader.prepare(candidate.envelopeText, candidate.contentText);
  if (message !== null) {
    return { ...base, message, envelope: message.envelope, raw: candidate.envelopeText, error: null };
  }
  const envelope = reader.envelope(candidate.envelopeText);
  return { ...base, ...(await complete(envelope, candidate.envelopeText, reader, contents)) };
}

async function complete(
  envelope: Envelope,
  envelopeText: string,
  reader: CopyReader,
  contents: ContentSource,
): Promise<Pick<Submission, "message" | "envelope" | "raw" | "error">> {
  const text = await contents.read(envelope.itemHash);
  if (text === null) return { message: null, envelope, raw: envelopeText, error: contentMissing(envelope) };
  const completed = reader.withContent(envelope, envelopeText, text);
  if (!completed.ok) return { message: null, envelope, raw: envelopeText, error: completed.error };
  return { message: completed.message, envelope, raw: envelopeText, error: null };
}

function contentMissing(envelope: Envelope): MessageError {
  return messageError("CONTENT_UNAVAILABLE", {
    errors: [`File not found: ${envelope.itemHash} (could not fetch message content)`],
  });
}
