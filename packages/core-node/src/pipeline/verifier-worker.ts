import { parentPort, workerData } from "node:worker_threads";
import { createNodeCrypto } from "@twentysix/protocol/node";
import type { VerifierData, VerifierRequest, VerifierResponse, VerifyJob } from "./verifier-protocol.ts";
import { type VerifyOptions, verifyCopy } from "./verify-copy.ts";
import type { CopyJob } from "./writer/jobs.ts";

/*
 * Thread: syntax, hash, schema and signature of every copy, before anything else looks at it.
 */

const main = parentPort;
if (main === null) throw new Error("This file is started as a worker thread");
const { switches, writer } = workerData as VerifierData;
const crypto = createNodeCrypto();
const options: VerifyOptions = { crypto, switches };

const respond = (response: VerifierResponse): void => main.postMessage(response);

function verify(job: VerifyJob): CopyJob | null {
  const { jobId, origin, receptionMicros, skeletons } = job;
  try {
    const copy = verifyCopy(job.text, job.trusted ? { ...options, trusted: true } : options);
    return { jobId, copy, origin, receptionMicros, ...(skeletons === undefined ? {} : { skeletons }) };
  } catch (error) {
    respond({ kind: "defect", jobId, requestId: null, error });
    return null;
  }
}

function inspect(requestId: number, text: string): void {
  try {
    respond({ kind: "inspected", requestId, copy: verifyCopy(text, options) });
  } catch (error) {
    respond({ kind: "defect", jobId: null, requestId, error });
  }
}

main.on("message", (request: VerifierRequest) => {
  if (request.kind === "inspect") {
    inspect(request.requestId, request.text);
    return;
  }
  const jobs = request.jobs.flatMap((job) => verify(job) ?? []);
  if (jobs.length > 0) writer.postMessage(jobs);
});
respond({ kind: "ready", implementation: crypto.implementation });
