import { isIP } from "node:net";
import type { JsonValue } from "@twentysix/protocol";

/** Host of a URL in lower case; null where the text is no URL with a host: all of those are alike. */
export function hostOfUrl(address: JsonValue): string | null {
  if (typeof address !== "string") return null;
  const host = URL.parse(address)?.hostname ?? "";
  return host === "" ? null : host;
}

const HOST_PROTOCOLS = new Set(["ip4", "ip6", "dns", "dns4", "dns6"]);
const MULTIADDRESS = /^(?:\/[a-z0-9-]+(?:\/[^/\s]+)?)+$/;

/** The first host of a multiaddress; null when there is none, or the text is no multiaddress. */
export function hostOfMultiaddress(address: JsonValue): string | null {
  if (typeof address !== "string" || !MULTIADDRESS.test(address)) return null;
  const parts = address.split("/").slice(1);
  const at = parts.findIndex((part) => HOST_PROTOCOLS.has(part));
  const [protocol, host] = [parts[at], parts[at + 1]];
  if (protocol === undefined || host === undefined) return null;
  if (protocol === "ip4" || protocol === "ip6") return isIP(host) === Number(protocol.at(-1)) ? host : null;
  return host.toLowerCase();
}
