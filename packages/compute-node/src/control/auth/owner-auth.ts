import { createHash } from "node:crypto";
import type { Clock, Logger } from "@twentysix/platform";
import type { CryptoProvider } from "@twentysix/protocol";
import type { FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";
import { objectOf } from "./auth-packet.ts";
import { OwnerReplays } from "./owner-replays.ts";
import { readSignedOperation, type SignedOperation, verifyOperationSignature } from "./signed-operation.ts";
import { type SignedPubKey, verifySignedPubKey } from "./signed-pubkey.ts";

/** Who has proven to be there: the address of a wallet. */
export interface Caller {
  readonly address: string;
  readonly chain: "ETH" | "SOL";
  /** Of the operation that it signed, which changes something; null: it only reads. */
  readonly operationKey: string | null;
}

/** What an operation is for. Anybody may sign one for a reservation of his own: these have to be kept apart. */
export type OperationScope = "machine" | "reservation";

export interface OwnerAuthOptions {
  /** Bare public host name of this node. */
  readonly domainName: string;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Operations are accepted for two minutes before and after their time. */
const REPLAY_WINDOW_MS = 240_000;
const MAX_OPERATIONS = 1_000;
/** More than there can be machines. */
const MAX_OWNERS = 10_000;

/**
 * Verifies that a request comes from a wallet, which signed a key, which signed the operation.
 *
 * Source: aleph-vm `views/authentication.py`, `doc/operator_auth.md`.
 */
export class OwnerAuth {
  readonly #options: OwnerAuthOptions;
  readonly #replays: Readonly<Record<OperationScope, OwnerReplays>> = {
    machine: createReplays(),
    reservation: createReplays(),
  };

  constructor(options: OwnerAuthOptions) {
    this.#options = options;
  }

  /** @throws ControlError 400, 401 */
  authenticate(request: FastifyRequest): Caller {
    const nowMs = this.#nowMs();
    const pubKey = this.#pubKey(
      readHeader(request, "X-SignedPubKey", "Invalid X-SignedPubKey format"),
      nowMs,
    );
    const packet = readHeader(request, "X-SignedOperation", "Invalid X-SignedOperation fields");
    const operation = readSignedOperation(packet, nowMs);
    this.#checkDomain(operation);
    checkRequest(operation, request);
    verifyOperationSignature(operation, pubKey.key);
    const operationKey = request.method === "GET" ? null : operationKeyOf(pubKey, operation);
    return { address: pubKey.address, chain: pubKey.chain, operationKey };
  }

  /**
   * Accepts what a caller signed, once. To be called for who may act for the owner, and before anything is done.
   *
   * @throws ControlError 401, 429
   */
  acceptOnce({ operationKey }: Caller, owner: string, scope: OperationScope): void {
    if (operationKey === null) return;
    const outcome = this.#replays[scope].add(owner.toLowerCase(), operationKey, this.#nowMs());
    if (outcome === "known") {
      throw new ControlError(401, "This operation was accepted before: sign it again to repeat it");
    }
    if (outcome === "full") {
      const text = `${MAX_OPERATIONS} operations of this owner were accepted within ${REPLAY_WINDOW_MS / 60_000} minutes; wait a little`;
      throw new ControlError(429, text);
    }
  }

  /**
   * The first message of a websocket. Clients sign its path and method as they please: only the node is checked.
   *
   * @throws ControlError
   */
  authenticateMessage(text: string): Caller {
    const message = objectOf(parseJson(text));
    if (message === null || !("auth" in message))
      throw new ControlError(400, "missing 'auth' key in message");
    const auth = objectOf(message.auth);
    const pubKeyPacket = objectOf(auth?.["X-SignedPubKey"]);
    const operationPacket = objectOf(auth?.["X-SignedOperation"]);
    if (pubKeyPacket === null || operationPacket === null) {
      throw new ControlError(400, "Invalid format for auth packet, see /doc/operator_auth.md");
    }
    const nowMs = this.#nowMs();
    const pubKey = this.#pubKey(pubKeyPacket, nowMs);
    const operation = readSignedOperation(operationPacket, nowMs);
    this.#checkDomain(operation);
    verifyOperationSignature(operation, pubKey.key);
    return { address: pubKey.address, chain: pubKey.chain, operationKey: null };
  }

  #pubKey(packet: unknown, nowMs: number): SignedPubKey {
    const pubKey = verifySignedPubKey(packet, this.#options.crypto, nowMs);
    if (pubKey.domain !== null && pubKey.domain !== this.#options.domainName) {
      // The console shows one signature of the wallet to several nodes.
      this.#options.log.debug("a key was signed for another node", { domain: pubKey.domain.slice(0, 256) });
    }
    return pubKey;
  }

  #checkDomain({ domain }: SignedOperation): void {
    const { domainName } = this.#options;
    if (domain === domainName) return;
    throw new ControlError(401, `Invalid domain: Signed: '${domain}' != Request: '${domainName}'`);
  }

  #nowMs(): number {
    return Number(this.#options.clock.nowMicros() / 1_000n);
  }
}

function createReplays(): OwnerReplays {
  return new OwnerReplays({
    windowMs: REPLAY_WINDOW_MS,
    maxOperations: MAX_OPERATIONS,
    maxOwners: MAX_OWNERS,
  });
}

/** By the payload, not by the signature: that one can be written in two ways. */
function operationKeyOf({ keyId }: SignedPubKey, { payload }: SignedOperation): string {
  return createHash("sha256").update(keyId).update(payload).digest("base64");
}

function checkRequest({ method, path, bodySha256 }: SignedOperation, request: FastifyRequest): void {
  const requested = request.url.split("?", 1)[0] ?? "";
  if (path !== requested) {
    throw new ControlError(401, `Invalid path. Signed: '${path}' !=  requested path: '${requested}'`);
  }
  if (method !== request.method) {
    throw new ControlError(401, `Invalid method. Signed: '${method}' !=  request:'${request.method}`);
  }
  if (bodySha256 === null) return;
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (createHash("sha256").update(body).digest("hex") === bodySha256) return;
  throw new ControlError(401, "Invalid body: its SHA-256 is not the one that was signed");
}

function readHeader(request: FastifyRequest, name: string, malformed: string): unknown {
  const text = request.headers[name.toLowerCase()];
  if (typeof text !== "string" || text === "") throw new ControlError(400, `Missing ${name} header`);
  try {
    return JSON.parse(text);
  } catch {
    throw new ControlError(400, malformed);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ControlError(400, "missing 'auth' key in message");
  }
}
