import { createNodeCrypto } from "@twentysix/protocol/node";
import type { ThreadPlace } from "../threads/thread-place.ts";
import { isSubmitted, submissionError } from "./submission-rules.ts";
import type {
  ToldCopy,
  VerifierData,
  VerifierRequest,
  VerifierResponse,
  VerifyJob,
} from "./verifier-protocol.ts";
import { type VerifiedCopy, type VerifyOptions, verifyCopy } from "./verify-copy.ts";
import { copyIdentity } from "./writer/candidate-of.ts";
import type { CopyJob } from "./writer/jobs.ts";

/** Syntax, hash, schema and signature of every copy, before anything else looks at it. */
export function runVerifier(
  { switches, limits, contractChains, writer }: VerifierData,
  { main }: Pick<ThreadPlace<VerifierResponse, VerifierRequest>, "main">,
): void {
  const crypto = createNodeCrypto();
  const options: VerifyOptions = { crypto, switches, limits, contractChains };

  const respond = (response: VerifierResponse): void => main.postMessage(response);

  function verify(job: VerifyJob): CopyJob | null {
    const { jobId, origin, receptionMicros, isBulk, skeletons, confirmation } = job;
    try {
      const copy = verifyCopy(job.text, job.trusted ? { ...options, trusted: true } : options);
      if (job.tells) respond({ kind: "verified", jobId, told: toldOf(copy) });
      const taken = isSubmitted(origin) ? heldAgainstSubmission(copy, job.text) : copy;
      return {
        ...{ jobId, copy: taken, origin, receptionMicros, isBulk },
        ...(skeletons === undefined ? {} : { skeletons }),
        ...(confirmation === undefined ? {} : { confirmation }),
      };
    } catch (error) {
      respond({ kind: "defect", jobId, requestId: null, error });
      return null;
    }
  }

  function heldAgainstSubmission(copy: VerifiedCopy, raw: string): VerifiedCopy {
    if (copy.kind === "refused") return copy;
    const envelope = copy.kind === "message" ? copy.message.envelope : copy.envelope;
    const error = submissionError(envelope, limits);
    return error === null ? copy : { kind: "refused", itemHash: envelope.itemHash, raw, error };
  }

  function inspect(requestId: number, text: string): void {
    try {
      respond({ kind: "inspected", requestId, copy: heldAgainstSubmission(verifyCopy(text, options), text) });
    } catch (error) {
      respond({ kind: "defect", jobId: null, requestId, error });
    }
  }

  main.on("message", (request: VerifierRequest) => {
    switch (request.kind) {
      case "inspect":
        inspect(request.requestId, request.text);
        break;
      case "verify": {
        const jobs = request.jobs.flatMap((job) => verify(job) ?? []);
        if (jobs.length > 0) writer.postMessage(jobs);
        break;
      }
      case "end":
        main.postMessage({ kind: "ended", writer }, [writer]);
        main.close();
        break;
    }
  });
  respond({ kind: "ready", implementation: crypto.implementation });
}

function toldOf(copy: VerifiedCopy): ToldCopy {
  if (copy.kind === "refused") return { isGenuine: false };
  if (copy.kind === "undecided") return { isGenuine: null };
  const envelope = copy.kind === "message" ? copy.message.envelope : copy.envelope;
  return { isGenuine: true, identity: Buffer.from(copyIdentity(envelope)).toString("hex") };
}
