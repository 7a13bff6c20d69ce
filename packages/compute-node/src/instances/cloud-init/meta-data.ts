import { createHash } from "node:crypto";

const DIGEST_CHARACTERS = 12;

/**
 * Meta data of cloud-init. Its instance id changes exactly when the addresses of the guest do: cloud-init reads the
 * network file for an id that it has not seen yet, and only then.
 */
export function metaData(vmHash: string, hostName: string, networkText: string): string {
  const digest = createHash("sha256").update(networkText).digest("hex").slice(0, DIGEST_CHARACTERS);
  return `${JSON.stringify({ "instance-id": `iid-${vmHash}-${digest}`, "local-hostname": hostName })}\n`;
}
