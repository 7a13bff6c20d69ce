import { type KeyObject, verify } from "node:crypto";
import { ControlError } from "../errors.ts";
import { parseDate } from "../http/dates.ts";
import { decodeHex, objectOf, textOf } from "./auth-packet.ts";

export interface SignedOperation {
  readonly method: string;
  readonly domain: string;
  readonly path: string;
  /** SHA-256 of the body; null: the client does not say. An extension. */
  readonly bodySha256: string | null;
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** How far the client's clock, and the way to here, may be off. */
const MAX_AGE_MS = 120_000;
const METHODS: ReadonlySet<unknown> = new Set(["GET", "POST", "DELETE"]);
const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** @throws ControlError 400 */
export function readSignedOperation(packet: unknown, nowMs: number): SignedOperation {
  const fields = objectOf(packet);
  const payload = decodeHex(textOf(fields?.payload));
  const signature = decodeHex(textOf(fields?.signature)?.replace(/^0x/i, "") ?? null);
  if (payload === null || signature === null) throw invalid();
  const operation = objectOf(parseJson(payload));
  const time = textOf(operation?.time);
  const atMs = time === null ? null : parseDate(time, { needsZone: true });
  const method = textOf(operation?.method);
  const domain = textOf(operation?.domain);
  const path = textOf(operation?.path);
  if (atMs === null || Math.abs(nowMs - atMs) > MAX_AGE_MS) throw invalid();
  if (method === null || !METHODS.has(method) || domain === null || path === null) throw invalid();
  return { method, domain, path, bodySha256: readBodyHash(operation?.body_sha256), payload, signature };
}

/** @throws ControlError 401 */
export function verifyOperationSignature({ payload, signature }: SignedOperation, key: KeyObject): void {
  const isGood =
    signature.length === 64 && verify("sha256", payload, { key, dsaEncoding: "ieee-p1363" }, signature);
  if (!isGood) throw new ControlError(401, "Signature could not verified");
}

function readBodyHash(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" || !SHA256_HEX.test(value)) throw invalid();
  return value.toLowerCase();
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid();
  }
}

function invalid(): ControlError {
  return new ControlError(400, "Invalid X-SignedOperation fields");
}
