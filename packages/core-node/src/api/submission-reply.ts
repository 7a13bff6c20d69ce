import { errorOfCode, isJsonObject, type JsonValue, memberOf, stringifyJson } from "@twentysix/protocol";
import type { FastifyReply } from "fastify";
import { JSON_TYPE } from "./http/json-reply.ts";
import type { SubmissionOutcome } from "./services.ts";

/** The status code that tells the outcome of a submission. Source: pyaleph `src/aleph/web/controllers/utils.py`. */
export function submissionStatus(outcome: SubmissionOutcome): number {
  if (outcome.status === "rejected") return 422;
  if (outcome.status === "forgotten" || outcome.status === "removed") return 410;
  // What is known already is published already: a failure to do so again concerns nobody.
  if (outcome.publication.status === "error" && !outcome.known) return 500;
  return outcome.status === "pending" ? 202 : 200;
}

/** The members that tell the outcome of a submission, for the answers of submissions and of uploads. */
export function submissionMembers(outcome: SubmissionOutcome): Record<string, JsonValue> {
  const status = submissionStatus(outcome);
  const members: Record<string, JsonValue> = {
    publication_status: { status: outcome.publication.status, failed: outcome.publication.failed },
    message_status: status === 500 ? null : outcome.status,
    publication_recipients: outcome.publication.recipients,
  };
  if (outcome.itemHash !== null) members.item_hash = outcome.itemHash;
  if (outcome.status === "rejected") {
    const code = outcome.errorCode ?? -1;
    const message = outcome.reason ?? errorOfCode(code)?.text ?? "Rejected";
    members.error_code = code;
    members.details = outcome.refused ? problemsOf(outcome.details) : (outcome.details ?? null);
    const why = whyOf(outcome.details);
    if (why !== undefined) members.why = why;
    members.error = { code, message };
  }
  if (status === 410) {
    members.error = {
      code: "API_GONE",
      message: `This message is ${outcome.status}: it cannot come back. Sign a new one with another time`,
      details: {},
    };
  }
  return members;
}

export function sendSubmission(reply: FastifyReply, outcome: SubmissionOutcome): FastifyReply {
  return reply
    .code(submissionStatus(outcome))
    .header("content-type", JSON_TYPE)
    .send(stringifyJson(submissionMembers(outcome)));
}

/** What was found of a signature that is refused. The list of problems has no place for it. */
function whyOf(details: JsonValue | undefined): JsonValue | undefined {
  return details === undefined || !isJsonObject(details) ? undefined : memberOf(details, "why");
}

/** Clients expect the bare list of problems for an envelope that was refused at the door. */
function problemsOf(details: JsonValue | undefined): JsonValue {
  if (details === undefined || !isJsonObject(details)) return details ?? null;
  return memberOf(details, "errors") ?? details;
}
