import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "@twentysix/platform";
import { type CryptoProvider, recoverEvmSigner } from "@twentysix/protocol";
import type { FastifyRequest } from "fastify";
import { CoreNodesError } from "../../messages/errors.ts";
import { ControlError } from "../errors.ts";
import { decodeHex, objectOf } from "./auth-packet.ts";
import { ReplayCache } from "./replay-cache.ts";

export interface SchedulerAuthOptions {
  /** Addresses that may allocate, from the settings of the node or of the network; in any case of letters. */
  readonly signers: (signal: AbortSignal) => Promise<readonly string[]>;
  /** SHA-256 of the token that older schedulers send, hexadecimal; null: it is not accepted. */
  readonly tokenHash: string | null;
  readonly maxAgeSeconds: number;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** Whoever can move machines has spoken to this node. */
  readonly onContact: () => void;
}

export const MAX_SCHEDULER_BODY_BYTES = 1_048_576;
const SCHEME = /^aleph-eip191-v1\s+(.*)$/i;
const MAX_REPLAY_ENTRIES = 100_000;

/**
 * Verifies that a request comes from a scheduler: by a signature over method, path, body and time, or by the older token.
 *
 * Source: aleph-vm `views/allocation_auth.py`.
 */
export class SchedulerAuth {
  readonly #options: SchedulerAuthOptions;
  readonly #replays: ReplayCache;

  constructor(options: SchedulerAuthOptions) {
    this.#options = options;
    this.#replays = new ReplayCache(options.maxAgeSeconds * 2_000, MAX_REPLAY_ENTRIES);
  }

  /** @throws ControlError 401 */
  async authenticate(request: FastifyRequest, signal: AbortSignal): Promise<void> {
    if (!(await this.#isTrusted(request, signal))) {
      throw new ControlError(401, "Authentication token received is invalid");
    }
    this.#options.onContact();
  }

  /**
   * For what anybody may ask: schedulers sign that too, and what they have signed proves that they reach this node. No
   * credentials, or wrong ones, change nothing.
   */
  async noteContact(request: FastifyRequest, signal: AbortSignal): Promise<void> {
    try {
      if (await this.#isTrusted(request, signal)) this.#options.onContact();
    } catch (error) {
      // Whose signatures count is not known just now: nothing is proven, and the list is for everybody.
      if (!(error instanceof CoreNodesError)) throw error;
    }
  }

  #isTrusted(request: FastifyRequest, signal: AbortSignal): Promise<boolean> | boolean {
    const { authorization } = request.headers;
    return authorization === undefined
      ? this.#hasToken(request.headers["x-auth-signature"])
      : this.#isSigned(authorization, request, signal);
  }

  #hasToken(token: string | readonly string[] | undefined): boolean {
    const { tokenHash } = this.#options;
    if (tokenHash === null || typeof token !== "string" || token === "") return false;
    const expected = decodeHex(tokenHash);
    const found = createHash("sha256").update(token).digest();
    return expected !== null && expected.length === found.length && timingSafeEqual(expected, found);
  }

  async #isSigned(header: string, request: FastifyRequest, signal: AbortSignal): Promise<boolean> {
    const parameters = readParameters(header);
    if (parameters === null || !isBounded(request) || request.url.includes("?")) return false;
    const payload = decodeHex(parameters.payload.replace(/^0x/i, ""));
    if (payload === null || !this.#isForThis(payload, request)) return false;
    const signer = recoverEvmSigner(payload, parameters.sig, this.#options.crypto);
    if (signer === null) return false;
    const signers = await this.#options.signers(signal);
    if (!signers.some((allowed) => allowed.toLowerCase() === signer)) return false;
    // By the payload, not by the signature: that one can be written in two ways.
    const key = `${signer} ${createHash("sha256").update(payload).digest("base64")}`;
    return this.#replays.add(key, this.#nowMs());
  }

  #isForThis(payload: Buffer, request: FastifyRequest): boolean {
    const claims = readClaims(payload);
    if (claims === null || !Number.isInteger(claims.iat)) return false;
    const ageSeconds = Math.abs(Math.floor(this.#nowMs() / 1_000) - claims.iat);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return (
      ageSeconds <= this.#options.maxAgeSeconds &&
      claims.method === request.method &&
      claims.path === request.url &&
      claims.body_sha256 === createHash("sha256").update(body).digest("hex")
    );
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}

/** Exactly `sig` and `payload`, each once. */
function readParameters(header: string): { readonly sig: string; readonly payload: string } | null {
  const [, list] = SCHEME.exec(header) ?? [];
  const parameters = new Map<string, string>();
  for (const part of (list ?? "").split(",")) {
    const [name = "", value = "", ...rest] = part.trim().split("=");
    if (rest.length > 0 || value === "" || parameters.has(name)) return null;
    parameters.set(name, value);
  }
  const sig = parameters.get("sig");
  const payload = parameters.get("payload");
  return parameters.size === 2 && sig !== undefined && payload !== undefined ? { sig, payload } : null;
}

interface Claims {
  readonly method: unknown;
  readonly path: unknown;
  readonly body_sha256: unknown;
  readonly iat: number;
}

/** `iat` has to be written as an integer: `1735725600.0` and `true` are none. */
function readClaims(payload: Buffer): Claims | null {
  const text = payload.toString("utf8");
  try {
    const claims = objectOf(JSON.parse(text, keepInteger));
    if (claims === null || typeof claims.iat !== "number") return null;
    const { method, path, body_sha256, iat } = claims;
    return { method, path, body_sha256, iat };
  } catch {
    return null;
  }
}

function keepInteger(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (key !== "iat" || typeof value !== "number") return value;
  return /^-?\d+$/.test(context?.source ?? "") ? value : null;
}

function isBounded(request: FastifyRequest): boolean {
  const length = request.headers["content-length"];
  return length !== undefined && /^\d+$/.test(length) && Number(length) <= MAX_SCHEDULER_BODY_BYTES;
}
