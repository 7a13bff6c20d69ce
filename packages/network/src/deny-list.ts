import { BlockList, isIP } from "node:net";

/** Whom this node does not speak with. */
export interface DenyList {
  readonly peerIds: ReadonlySet<string>;
  isDeniedAddress(host: string): boolean;
}

/**
 * A deny list out of names of peers and of addresses, single ones or in blocks (`203.0.113.0/24`).
 *
 * @throws RangeError for a text that is neither
 */
export function denyListOf(texts: readonly string[]): DenyList {
  const peerIds = new Set<string>();
  const blocks = new BlockList();
  for (const text of texts) {
    const [address = "", prefix] = text.split("/");
    const family = isIP(address);
    if (family === 0 && prefix === undefined && /^[1-9A-HJ-NP-Za-km-z]{40,64}$/.test(text)) peerIds.add(text);
    else if (family !== 0) addBlock(blocks, address, family, prefix);
    else throw new RangeError(`${text} is neither the name of a peer nor an address or a block of addresses`);
  }
  return {
    peerIds,
    isDeniedAddress: (host) => {
      const family = isIP(host);
      return family !== 0 && blocks.check(host, family === 4 ? "ipv4" : "ipv6");
    },
  };
}

function addBlock(blocks: BlockList, address: string, family: number, prefix: string | undefined): void {
  const type = family === 4 ? "ipv4" : "ipv6";
  if (prefix === undefined) {
    blocks.addAddress(address, type);
    return;
  }
  const bits = /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(bits <= (family === 4 ? 32 : 128)))
    throw new RangeError(`${address}/${prefix} is no block of addresses`);
  blocks.addSubnet(address, bits, type);
}
