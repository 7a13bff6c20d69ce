import { decodeHashLabel } from "./hash-label.ts";

/** Which program a request is for. */
export interface FunctionAddress {
  readonly vmHash: string;
  /** Path and query inside the program, with its leading slash. */
  readonly suffix: string;
}

export type AddressReading =
  | { readonly kind: "function"; readonly address: FunctionAddress }
  /** `/vm/` with something that is no hash. */
  | { readonly kind: "bad-reference"; readonly reference: string }
  /** A host that may have a TXT record. */
  | { readonly kind: "named-host"; readonly host: string; readonly suffix: string }
  | { readonly kind: "none" };

const VM_HASH = /^[0-9a-f]{64}$/;
/** Of the node itself, under whatever name it is reached. */
const OWN_PATHS = ["/about/", "/control/", "/status/", "/static/", "/debug/", "/v2/"];

/**
 * Reads from its target and its host whom a request is for.
 *
 * @param url as it stands in the request line; @param hostHeader may have a port, and any case
 * @param domainName of this node; null: unknown
 */
export function readAddress(url: string, hostHeader: string, domainName: string | null): AddressReading {
  const target = url.startsWith("/") ? url : pathOfAbsolute(url);
  const host = hostNameOf(hostHeader);
  const isOwnHost = host === "" || host === domainName?.toLowerCase();
  const byLabel = isOwnHost ? null : decodeHashLabel(host.split(".")[0] ?? "");
  if (byLabel !== null) return { kind: "function", address: { vmHash: byLabel, suffix: target } };
  if (target === "/vm" || target.startsWith("/vm/")) return byPath(target.slice("/vm/".length));
  const isOwnPath = OWN_PATHS.some((path) => target.startsWith(path));
  if (isOwnHost || isOwnPath || isAddress(host) || !host.includes(".")) return { kind: "none" };
  return { kind: "named-host", host, suffix: target };
}

/** The hash of a program as a text of its owner says it; null: it is none. */
export function readVmHash(text: string): string | null {
  const hash = text.trim().toLowerCase();
  return VM_HASH.test(hash) ? hash : null;
}

function byPath(rest: string): AddressReading {
  const end = rest.search(/[/?]/);
  const reference = end === -1 ? rest : rest.slice(0, end);
  const suffix = end === -1 ? "" : rest.slice(end);
  const vmHash = readVmHash(reference);
  if (vmHash === null) return { kind: "bad-reference", reference };
  return { kind: "function", address: { vmHash, suffix: suffix.startsWith("/") ? suffix : `/${suffix}` } };
}

/** Proxies may send the whole URL. */
function pathOfAbsolute(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  return path.startsWith("/") ? path : `/${path}`;
}

function hostNameOf(header: string): string {
  const host = header.startsWith("[") ? header : header.replace(/:\d*$/, "");
  return host.toLowerCase().replace(/\.$/, "");
}

function isAddress(host: string): boolean {
  return host.startsWith("[") || /^[\d.]+$/.test(host);
}
