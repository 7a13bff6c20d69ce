import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { base58 } from "@scure/base";
import { privateKeyToAccount } from "viem/accounts";

export interface Wallet {
  readonly address: string;
  readonly chain: "ETH" | "SOL";
  /** Signature of the text that a wallet shows, as its chain writes it. */
  sign(payload: Buffer): Promise<string>;
}

export function ethWallet(seed: string): Wallet {
  const account = privateKeyToAccount(`0x${createHash("sha256").update(seed).digest("hex")}`);
  return {
    address: account.address,
    chain: "ETH",
    sign: (payload) => account.signMessage({ message: { raw: payload } }),
  };
}

export function solWallet(): Wallet {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
  return {
    address: base58.encode(raw),
    chain: "SOL",
    sign: async (payload) =>
      sign(null, Buffer.from(payload.toString("hex"), "ascii"), privateKey).toString("hex"),
  };
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly domain: string;
  readonly nowMs: number;
}

/** An ephemeral key that a wallet has signed, as a client holds it. */
export class ClientKey {
  readonly #privateKey: KeyObject;
  readonly #pubKeyPacket: { readonly payload: string; readonly signature: string };

  private constructor(
    privateKey: KeyObject,
    packet: { readonly payload: string; readonly signature: string },
  ) {
    this.#privateKey = privateKey;
    this.#pubKeyPacket = packet;
  }

  static async create(
    wallet: Wallet,
    nowMs: number,
    claims: Readonly<Record<string, unknown>> = {},
  ): Promise<ClientKey> {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
    const payload = Buffer.from(
      JSON.stringify({
        pubkey: { kty, crv, x, y },
        alg: "ECDSA",
        domain: "crn.test",
        address: wallet.address,
        expires: new Date(nowMs + 86_400_000).toISOString(),
        ...(wallet.chain === "ETH" ? {} : { chain: wallet.chain }),
        ...claims,
      }),
    );
    const signature = await wallet.sign(payload);
    return new ClientKey(privateKey, { payload: payload.toString("hex"), signature });
  }

  headers(operation: Operation, more: Readonly<Record<string, unknown>> = {}): Record<string, string> {
    return {
      "x-signedpubkey": JSON.stringify(this.#pubKeyPacket),
      "x-signedoperation": JSON.stringify(this.operation(operation, more)),
    };
  }

  /** The first message of a websocket. */
  authMessage(operation: Operation): string {
    return JSON.stringify({
      auth: { "X-SignedPubKey": this.#pubKeyPacket, "X-SignedOperation": this.operation(operation) },
    });
  }

  operation(
    { method, path, domain, nowMs }: Operation,
    more: Readonly<Record<string, unknown>> = {},
  ): { readonly payload: string; readonly signature: string } {
    const payload = Buffer.from(
      JSON.stringify({ time: new Date(nowMs).toISOString(), method, domain, path, ...more }),
    );
    const key = { key: this.#privateKey, dsaEncoding: "ieee-p1363" } as const;
    return { payload: payload.toString("hex"), signature: sign("sha256", payload, key).toString("hex") };
  }
}

/** The header of a scheduler. */
export async function schedulerHeader(
  wallet: Wallet,
  request: {
    readonly method: string;
    readonly path: string;
    readonly body: string;
    readonly iat: unknown;
    readonly nonce?: string;
  },
): Promise<string> {
  const { method, path, body, iat, nonce } = request;
  const body_sha256 = createHash("sha256").update(body).digest("hex");
  const payload = Buffer.from(JSON.stringify({ method, path, body_sha256, iat, nonce }));
  return `Aleph-EIP191-V1 sig=${await wallet.sign(payload)},payload=${payload.toString("hex")}`;
}
