import { createHash } from "node:crypto";
import { decodeLowerHex, encodeBase32 } from "@twentysix/protocol";
import type { VmKind } from "./vm-network.ts";

const NODE_ID_CHARACTERS = 6;

/** What all taps of all nodes begin with: none of them may reach another. */
export const TAP_PREFIX = "t26";

/** Names the taps and tables of a node: several nodes of one host have their own, by their data folders. */
export function networkIdOf(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, NODE_ID_CHARACTERS);
}

/** Name of a machine's network device, at most 15 characters as Linux demands: `t26c712e4n3`. */
export const tapNameOf = (networkId: string, vmNumber: number): string =>
  `${TAP_PREFIX}${networkId}n${vmNumber}`;

/** The number of the machine that a device of this node belongs to; null for any other device. */
export function vmNumberOfTap(networkId: string, tapName: string): number | null {
  const [, owner, digits] = /^t26([0-9a-f]{6})n(0|[1-9]\d{0,4})$/.exec(tapName) ?? [];
  return owner === networkId ? Number(digits) : null;
}

/**
 * Address of the guest's network card. Functions all have the same: they continue from one template, which had it
 * already; every machine is alone on its link, so that nobody sees it twice. Locally administered.
 */
export const FUNCTION_MAC_ADDRESS = "02:26:00:00:00:01";

/** Of an instance, 40 bits of its hash behind an octet that says "locally administered"; of functions, all the same. */
export function macAddressOf({ vmHash, kind }: { readonly vmHash: string; readonly kind: VmKind }): string {
  if (kind !== "instance") return FUNCTION_MAC_ADDRESS;
  const digest = createHash("sha256").update(vmHash).digest("hex").slice(0, 10);
  return ["02", ...(digest.match(/../g) ?? [])].join(":");
}

/** What the guest calls itself: base32 of its hash, 52 characters. Source: aleph-vm `controllers/qemu/instance.py`. */
export function hostNameOf(vmHash: string): string {
  if (/^[0-9a-f]{64}$/.test(vmHash)) return encodeBase32(decodeLowerHex(vmHash));
  return encodeBase32(createHash("sha256").update(vmHash).digest());
}
