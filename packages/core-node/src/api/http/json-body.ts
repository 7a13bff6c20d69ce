import { decodeUtf8, isJsonObject, type JsonObject, type JsonValue, parseJson } from "@twentysix/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import { disconnectSignal } from "./disconnect.ts";
import { assertAnnouncedSize, readBody } from "./request-body.ts";

export type JsonReading<T> =
  | { readonly ok: true; readonly text: string; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ValidationProblem[] };

/** Reads a body of any content type as strict JSON, under the limits of a JSON route. */
export async function readJsonBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { settings, services }: ApiContext,
  maxBytes = settings.maxJsonBodyBytes,
): Promise<JsonReading<JsonValue>> {
  assertAnnouncedSize(request.raw, maxBytes);
  const bytes = await readBody(request.raw, request.raw, {
    maxBytes,
    timeoutMs: settings.bodyTimeoutMs,
    deadline: "total",
    timers: services.timers,
    signal: disconnectSignal(reply),
  });
  return parseJsonBytes(bytes);
}

export function parseJsonBytes(bytes: Buffer): JsonReading<JsonValue> {
  const text = decodeUtf8(bytes);
  if (text === null) return malformed("the body is not UTF-8");
  const parsed = parseJson(text);
  if (parsed.ok) return { ok: true, text, value: parsed.value };
  const where = parsed.offset === undefined ? "" : ` at character ${parsed.offset}`;
  return malformed(`${parsed.reason}${where}`);
}

/** Narrows a reading to an object. */
export function requireObject(reading: JsonReading<JsonValue>): JsonReading<JsonObject> {
  if (!reading.ok) return reading;
  if (isJsonObject(reading.value)) return { ok: true, text: reading.text, value: reading.value };
  const msg = "Input should be an object";
  return { ok: false, problems: [{ type: "model_type", loc: ["body"], msg, input: null }] };
}

function malformed(reason: string): JsonReading<never> {
  const msg = `Invalid JSON: ${reason}`;
  return { ok: false, problems: [{ type: "json_invalid", loc: ["body"], msg, input: null }] };
}
