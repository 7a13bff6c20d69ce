import { encodeHex, type TextAccount } from "@twentysix/protocol";
import { invalidInput } from "../errors.ts";
import { type Runtime, systemRuntime } from "../runtime.ts";

/** Headers by which a compute node knows who asks. */
export type SignedHeaders = {
  readonly "X-SignedPubKey": string;
  readonly "X-SignedOperation": string;
};

/** What is signed of one request. */
export interface MachineOperation {
  readonly method: "GET" | "POST" | "DELETE";
  /** Host name of the node, without a port. */
  readonly domain: string;
  /** Without its query. */
  readonly path: string;
}

/**
 * A key that lives for some hours and signs what its owner does with machines: the wallet is asked once, for the key.
 */
export interface MachineKey {
  /** Of the owner. */
  readonly address: string;
  readonly expiresAtMs: number;
  sign(operation: MachineOperation): Promise<SignedHeaders>;
}

export interface CreateMachineKeyParameters {
  /** Of Ethereum (any wallet of an EVM chain) or Solana. */
  readonly account: TextAccount;
  /** Two hours by default. */
  readonly lifetimeMs?: number;
  /** Of the one node that the key is for; none by default. */
  readonly domain?: string;
  readonly runtime?: Pick<Runtime, "nowMicros">;
}

const LIFETIME_MS = 2 * 3_600_000;
const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;

/**
 * Makes a key and has the account sign it. Source: aleph-vm `doc/operator_auth.md`.
 *
 * Error: SDK_INVALID_INPUT for a chain whose wallets compute nodes do not know.
 *
 * @example
 * const key = await createMachineKey({ account: createEvmAccount({ privateKey }) });
 * await stopMachine(createConnection({ apiUrl: "http://crn.example:4020" }), { key, itemHash });
 */
export async function createMachineKey(parameters: CreateMachineKeyParameters): Promise<MachineKey> {
  const { account, lifetimeMs = LIFETIME_MS, domain, runtime = systemRuntime } = parameters;
  const chain = account.chain === "SOL" ? "SOL" : "ETH";
  if (chain === "ETH" && !/^0x[0-9a-fA-F]{40}$/.test(account.address)) {
    throw invalidInput(
      "account",
      `compute nodes know wallets of Ethereum and Solana, not of ${account.chain}`,
    );
  }
  const { publicKey, privateKey } = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const expiresAtMs = nowMs(runtime) + lifetimeMs;
  const payload = encoded({
    pubkey: { kty, crv, x, y },
    alg: "ECDSA",
    ...(domain === undefined ? {} : { domain }),
    address: account.address,
    expires: new Date(expiresAtMs).toISOString(),
    chain,
  });
  const payloadHex = encodeHex(payload);
  // Wallets of Solana show what they sign as text: they are given the digits.
  const signature = await account.signText(chain === "SOL" ? new TextEncoder().encode(payloadHex) : payload);
  const signedPubKey = JSON.stringify({ payload: payloadHex, signature });
  return {
    address: account.address,
    expiresAtMs,
    async sign({ method, domain: signedDomain, path }) {
      const time = new Date(nowMs(runtime)).toISOString();
      const operation = encoded({ time, method, domain: signedDomain, path });
      const signed = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, operation);
      const header = { payload: encodeHex(operation), signature: encodeHex(new Uint8Array(signed)) };
      return { "X-SignedPubKey": signedPubKey, "X-SignedOperation": JSON.stringify(header) };
    },
  };
}

const nowMs = (runtime: Pick<Runtime, "nowMicros">): number => Number(runtime.nowMicros() / 1_000n);

function encoded(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
