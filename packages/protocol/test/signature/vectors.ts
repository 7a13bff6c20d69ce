import { readFileSync } from "node:fs";
import type { Chain } from "../../src/chains.ts";
import type { MessageType, SignedFields } from "../../src/envelope.ts";
import type { CryptoProvider } from "../../src/signature/crypto-provider.ts";
import { createNodeCrypto } from "../../src/signature/native-crypto.ts";
import { nobleCrypto } from "../../src/signature/noble-crypto.ts";

export const PROVIDERS: readonly (readonly [name: string, crypto: CryptoProvider])[] = [
  ["noble", nobleCrypto],
  ["node", createNodeCrypto()],
];

export interface SignedVector {
  readonly label: string;
  readonly valid: boolean;
  readonly fields: SignedFields & { readonly signature: string };
}

interface RawVector {
  readonly source: string;
  readonly valid: boolean;
  readonly note?: string;
  readonly message: {
    readonly chain: Chain;
    readonly sender: string;
    readonly type: MessageType;
    readonly item_hash: string;
    readonly signature: string;
    readonly time: number;
  };
}

const path = new URL("../fixtures/signed-messages.json", import.meta.url);
const raw = JSON.parse(readFileSync(path, "utf8")) as readonly RawVector[];

export const SIGNED_VECTORS: readonly SignedVector[] = raw.map(({ message, source, valid, note }) => ({
  label: `${message.chain} ${message.item_hash.slice(0, 8)} ${note ?? ""} (${source})`,
  valid,
  fields: {
    chain: message.chain,
    sender: message.sender,
    type: message.type,
    itemHash: message.item_hash,
    signature: message.signature,
    timeMicros: BigInt(Math.round(message.time * 1e6)),
  },
}));

/** The first valid vector of a chain whose item hash starts so. */
export function vector(chain: Chain, itemHashStart: string): SignedVector["fields"] {
  const found = SIGNED_VECTORS.find(
    ({ fields, valid }) => valid && fields.chain === chain && fields.itemHash.startsWith(itemHashStart),
  );
  if (found === undefined) throw new Error(`no valid vector of ${chain} starts with ${itemHashStart}`);
  return found.fields;
}
