import type { HttpScope, ScopeReply } from "../guests/program-guest.ts";
import { TransportError } from "../transport/errors.ts";
import { isPackedObject, unpackObject } from "./message-pack.ts";

/** A request as a guest of the reference takes it: names and values of headers are bytes. */
export function scopeOf({ path, method, queryString, headers, body }: HttpScope): Record<string, unknown> {
  return {
    type: "http",
    path,
    method,
    query_string: queryString,
    headers: headers.map(([name, value]) => [bytesOf(name.toLowerCase()), bytesOf(value)]),
    body,
  };
}

/** What a guest of the reference answered; whatever it sent is a reply of some kind. */
export function readScopeReply(bytes: Uint8Array): ScopeReply {
  if (bytes.length === 0) return { kind: "empty" };
  try {
    return readReply(bytes);
  } catch (error) {
    if (error instanceof TransportError) return { kind: "invalid" };
    throw error;
  }
}

function readReply(bytes: Uint8Array): ScopeReply {
  const { headers: start, body: part, traceback } = unpackObject(bytes);
  if (typeof traceback === "string") return { kind: "failed", traceback };
  if (!isPackedObject(start)) return { kind: "invalid" };
  const { status, headers } = start;
  const isStatus = typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 999;
  if (!isStatus || !Array.isArray(headers)) return { kind: "invalid" };
  const named: [string, string][] = [];
  for (const pair of headers as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return { kind: "invalid" };
    named.push([textOf(pair[0]), textOf(pair[1])]);
  }
  const body = isPackedObject(part) && part.body instanceof Uint8Array ? part.body : new Uint8Array();
  return { kind: "answer", status, headers: named, body };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return typeof value === "string" ? value : "";
}
