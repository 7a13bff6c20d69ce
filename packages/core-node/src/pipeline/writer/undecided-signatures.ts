import { ERROR_TABLE, type MessageError, messageError } from "@twentysix/protocol";
import type { Candidate } from "@twentysix/storage";
import type { RecorderContext } from "./recorder-context.ts";
import type { Submission } from "./submission.ts";

/** Copies whose signatures chains are to be asked about. Anyone can make one, of whatever sender. */
export const MAX_UNDECIDED = 2_048;

const UNDECIDED = messageError("SIGNATURE_UNDECIDED", { errors: [ERROR_TABLE.SIGNATURE_UNDECIDED.text] });
const CROWDED = messageError("SIGNATURE_UNDECIDED", {
  errors: [`${MAX_UNDECIDED} messages of contracts wait for what their chains say: send it again later`],
});

export function undecidedError(): MessageError {
  return UNDECIDED;
}

export function isUndecided(error: MessageError | null): boolean {
  return error?.name === "SIGNATURE_UNDECIDED";
}

/** What stands of the signature of a queued copy; null: it is valid, as of every other. */
export function signatureErrorOf({ code, detailsText }: Candidate): MessageError | null {
  if (code === ERROR_TABLE.SIGNATURE_UNDECIDED.code) return UNDECIDED;
  if (code !== ERROR_TABLE.INVALID_SIGNATURE.code) return null;
  return messageError("INVALID_SIGNATURE", { errors: [detailsText ?? ERROR_TABLE.INVALID_SIGNATURE.text] });
}

/** Answers a copy for which there is no place, without keeping anything of it; false where there is one. */
export function refuseCrowded(context: RecorderContext, submission: Submission, hash: string): boolean {
  const { store, answers } = context;
  if (submission.candidateId !== null || store.countUndecided() < MAX_UNDECIDED) return false;
  answers.push(submission, { itemHash: hash, status: "rejected", refused: true, known: false }, CROWDED);
  return true;
}
