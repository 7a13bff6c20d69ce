import { blake2b } from "@noble/hashes/blake2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** How a Tezos key signs: the bare buffer, or the form in which web wallets show a text. */
export const TEZOS_SIGNING_TYPES = ["raw", "micheline"] as const;
export type TezosSigningType = (typeof TEZOS_SIGNING_TYPES)[number];

/** The application name signed by micheline signatures that carry none. */
export const DEFAULT_TEZOS_DAPP_URL = "aleph.im";

const MICHELINE_HEADER = Uint8Array.of(0x05, 0x01, 0x00);

/**
 * The bytes that a wallet signs: a header, the length of the payload's hexadecimal form as decimal digits, and the
 * payload, which holds the application, the time in UTC to the millisecond, and the buffer.
 *
 * Source: pyaleph `src/aleph/chains/tezos.py`.
 */
export function michelineSignedBytes(
  buffer: Uint8Array,
  timeMicros: bigint,
  dAppUrl: string,
): Uint8Array | null {
  const timestamp = isoMilliseconds(timeMicros);
  if (timestamp === null) return null;
  const payload = concatBytes(utf8ToBytes(`Tezos Signed Message: ${dAppUrl} ${timestamp} `), buffer);
  return concatBytes(MICHELINE_HEADER, utf8ToBytes(String(bytesToHex(payload).length)), payload);
}

/** BLAKE2b-256: what all three curves sign. */
export function tezosDigest(signedBytes: Uint8Array): Uint8Array {
  return blake2b(signedBytes, { dkLen: 32 });
}

/** First and last second that the protocol's envelope time can name, in milliseconds: years 1 to 9999. */
const MIN_TIME_MS = -62_135_596_800_000n;
const MAX_TIME_MS = 253_402_300_799_999n;

/** `2022-09-23T14:41:19.029Z`, rounded down; null outside the years 1 to 9999. */
function isoMilliseconds(timeMicros: bigint): string | null {
  const truncated = timeMicros / 1000n;
  const timeMs = timeMicros % 1000n < 0n ? truncated - 1n : truncated;
  if (timeMs < MIN_TIME_MS || timeMs > MAX_TIME_MS) return null;
  return new Date(Number(timeMs)).toISOString();
}
