import { createDeferred, isAbortOf, type Timers } from "@twentysix/platform";
import type { JsonValue } from "@twentysix/protocol";
import { ApiError } from "../api/errors.ts";
import type { PublicationStatus, SubmissionOutcome, Submit, SubmitOptions } from "../api/services.ts";
import { PipelineError } from "../pipeline/errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CopyResult, ItemChange } from "../pipeline/writer/jobs.ts";
import type { Budgets } from "./budgets.ts";
import type { ItemWatch } from "./item-watch.ts";

export interface SubmitServices {
  readonly pipeline: Pipeline;
  readonly items: ItemWatch;
  readonly budgets: Budgets;
  readonly timers: Timers;
  /** Tells peers of a message. */
  readonly publish: (text: string) => Promise<PublicationStatus>;
}

/** What is refused concerns nobody else. */
const UNPUBLISHED: PublicationStatus = { status: "success", failed: [], recipients: 0 };

/** Submission for the API: durable first, then published, then, with `sync`, the final outcome. */
export function createSubmit(services: SubmitServices): Submit {
  return async (envelopeText, options) => {
    services.budgets.assertRoom();
    const result = await submitNow(services.pipeline, envelopeText, options);
    const isForPeers = !result.refused && result.status !== "rejected";
    const isOver = result.refused || result.status !== "pending";
    // Listens before it is published: its outcome may come meanwhile.
    using watch = options.sync && !isOver ? watchFor(services.items, result.itemHash) : null;
    const publication = isForPeers ? await services.publish(envelopeText) : UNPUBLISHED;
    if (watch !== null) return await awaitOutcome(services, { ...result, publication }, watch, options);
    return outcomeOf({ ...result, publication }, options.sync);
  };
}

interface Watch extends Disposable {
  readonly final: Promise<ItemChange>;
}

/** Waits for the final outcome of an item. */
function watchFor(items: ItemWatch, itemHash: string | null): Watch | null {
  if (itemHash === null) return null;
  const final = createDeferred<ItemChange>();
  const stop = items.on(itemHash, (change) => {
    if (change !== null && change.status !== "pending") final.resolve(change);
  });
  return { final: final.promise, [Symbol.dispose]: stop };
}

type PublishedResult = CopyResult & { readonly publication: PublicationStatus };

async function submitNow(pipeline: Pipeline, text: string, options: SubmitOptions): Promise<CopyResult> {
  try {
    return await pipeline.submit(text, { origin: options.origin });
  } catch (error) {
    if (error instanceof PipelineError && error.code !== "PIPELINE_DEFECT") {
      throw new ApiError("API_OVERLOADED", error.message, { code: error.code }, { "retry-after": "1" });
    }
    throw error;
  }
}

/**
 * Without `sync` the answer to a new message is that it is taken in, as clients of the network expect, even when
 * its outcome is known already.
 */
function outcomeOf(result: PublishedResult, sync: boolean): SubmissionOutcome {
  const isNews = !sync && !result.refused && !result.known;
  return {
    itemHash: result.itemHash,
    status: isNews ? "pending" : result.status,
    refused: result.refused,
    known: result.known,
    publication: result.publication,
    ...(isNews ? {} : errorOf(result)),
  };
}

function errorOf(result: CopyResult): Pick<SubmissionOutcome, "errorCode" | "reason" | "details"> {
  if (result.status !== "rejected" || result.errorCode === undefined) return {};
  return {
    errorCode: result.errorCode,
    ...(result.errorText === undefined ? {} : { reason: result.errorText }),
    ...(result.details === undefined ? {} : { details: result.details }),
  };
}

async function awaitOutcome(
  services: SubmitServices,
  result: PublishedResult,
  { final }: Watch,
  options: SubmitOptions,
): Promise<SubmissionOutcome> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([options.signal, giveUp.signal]);
  try {
    const timeout = services.timers.sleep(options.timeoutMs, signal).then(
      () => null,
      (error: unknown) => {
        if (isAbortOf(signal, error)) return null;
        throw error;
      },
    );
    const change = await Promise.race([final, timeout]);
    return change === null ? outcomeOf(result, true) : changedOutcome(result, change);
  } finally {
    giveUp.abort();
  }
}

function changedOutcome(result: PublishedResult, change: ItemChange): SubmissionOutcome {
  const { error } = change;
  return {
    itemHash: change.itemHash,
    status: change.status,
    refused: false,
    known: result.known,
    publication: result.publication,
    ...(error === null ? {} : { errorCode: error.code, details: error.details as JsonValue }),
  };
}
