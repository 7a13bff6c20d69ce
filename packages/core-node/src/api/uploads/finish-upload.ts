import type { JsonValue } from "@twentysix/protocol";
import { stringifyJson } from "@twentysix/protocol";
import type { FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { JSON_TYPE } from "../http/json-reply.ts";
import type { KeptFile } from "../services.ts";
import { submissionMembers, submissionStatus } from "../submission-reply.ts";
import type { SignedUpload } from "./store-metadata.ts";

/** A file that came with its message is not collected while that message is on its way, however short the grace. */
const MIN_SIGNED_GRACE_MICROS = 600_000_000n;

/** Records the file for the grace period: a message, this one or a later one, makes it stay. */
export async function registerForGracePeriod(
  { services, settings }: ApiContext,
  file: KeptFile,
  { isSigned }: { readonly isSigned: boolean },
): Promise<void> {
  const graceMicros = BigInt(settings.gracePeriodMs) * 1_000n;
  const shortestMicros = isSigned ? MIN_SIGNED_GRACE_MICROS : 0n;
  const graceUntilMicros =
    services.clock.nowMicros() + (graceMicros > shortestMicros ? graceMicros : shortestMicros);
  await services.uploads.registerFile({ ...file, graceUntilMicros });
}

/** Publishes the message of an upload and answers with its outcome; `members` are the route's own. */
export async function publishUpload(
  reply: FastifyReply,
  { services, settings, metrics }: ApiContext,
  { messageText, sync }: SignedUpload,
  members: Readonly<Record<string, JsonValue>>,
): Promise<FastifyReply> {
  const outcome = await services.submit(messageText, {
    origin: "upload",
    sync,
    timeoutMs: settings.maxSyncTimeoutMs,
    signal: disconnectSignal(reply),
  });
  metrics.submissions.inc({ outcome: outcome.refused ? "refused" : outcome.status });
  const status = submissionStatus(outcome);
  if (status < 300) return sendUploaded(reply, status, { status: "success", ...members });
  return sendUploaded(reply, status, { status: "error", ...members, ...submissionMembers(outcome) });
}

export function sendUploaded(
  reply: FastifyReply,
  status: number,
  members: Readonly<Record<string, JsonValue>>,
): FastifyReply {
  return reply.code(status).header("content-type", JSON_TYPE).send(stringifyJson(members));
}
