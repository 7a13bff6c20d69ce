import { createEvmAccount, encodeHex, encodeUtf8, nobleCrypto, sha256OfText } from "@twentysix/protocol";
import { createNodeSecp256k1Signer } from "@twentysix/protocol/node";

/** The key by which nodes know a scheduler. */
export interface SchedulerKey {
  /** With the letter case of its checksum. */
  readonly address: string;
  /** 65 bytes r, s, v in hexadecimal over the EIP-191 digest of a text. */
  sign(text: string): string;
}

/** @throws AccountError `private_key_invalid` */
export function schedulerKey(privateKey: Uint8Array): SchedulerKey {
  const signer = createNodeSecp256k1Signer();
  const { address } = createEvmAccount({ privateKey, signer });
  return {
    address,
    sign(text) {
      const { rs, recoveryId } = signer.sign(personalDigest(text), privateKey);
      return `0x${encodeHex(rs)}${(27 + recoveryId).toString(16)}`;
    },
  };
}

/** What `personal_sign` signs of a text. */
function personalDigest(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  return nobleCrypto.keccak256(
    Buffer.concat([encodeUtf8(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]),
  );
}

export interface SignedCall {
  readonly method: string;
  /** The exact path, without a query. */
  readonly path: string;
  readonly body: string;
  readonly nowMs: number;
  /** Makes two equal calls of one second differ; left out when null. */
  readonly nonce: string | null;
}

/**
 * The `Authorization` header of a call. Source: aleph-vm `orchestrator/views/allocation_auth.py`.
 *
 * `Aleph-EIP191-V1 sig=<hex>,payload=<hex of the JSON>`
 */
export function authorizationOf(key: SchedulerKey, { method, path, body, nowMs, nonce }: SignedCall): string {
  const payload = JSON.stringify({
    method,
    path,
    body_sha256: sha256OfText(body),
    iat: Math.floor(nowMs / 1_000),
    ...(nonce === null ? {} : { nonce }),
  });
  return `Aleph-EIP191-V1 sig=${key.sign(payload)},payload=${encodeHex(encodeUtf8(payload))}`;
}
