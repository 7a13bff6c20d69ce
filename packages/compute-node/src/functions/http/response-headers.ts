import type { IncomingMessage } from "node:http";

/** Of a connection, not of what it carries. Source: RFC 9110 section 7.6.1. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers as they came, each as often as it came, without those of the connection. Names in lower case. */
export function endToEndHeaders(
  message: Pick<IncomingMessage, "rawHeaders" | "headers">,
  omitted: readonly string[] = [],
): [name: string, value: string][] {
  const named = new Set(
    (message.headers.connection ?? "")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
  const kept: [string, string][] = [];
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    const name = (message.rawHeaders[index] ?? "").toLowerCase();
    const isDropped = HOP_BY_HOP.has(name) || named.has(name) || omitted.includes(name);
    if (!isDropped) kept.push([name, message.rawHeaders[index + 1] ?? ""]);
  }
  return kept;
}
