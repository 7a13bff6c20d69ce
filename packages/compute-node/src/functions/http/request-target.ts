import type { IncomingMessage } from "node:http";

const targets = new WeakMap<IncomingMessage, string>();
/** What the router sees of every request to a program. */
const CLAIMED = "/vm/claimed";

/** Path and query of a request as they stood in its first line. */
export function targetOf(request: IncomingMessage): string {
  return targets.get(request) ?? request.url ?? "/";
}

/**
 * Puts a path of ours in place of the request's for the router, which knows no host names and refuses some paths that
 * programs may take. `targetOf` still gives what was sent.
 */
export function claim(request: IncomingMessage): void {
  targets.set(request, targetOf(request));
  request.url = CLAIMED;
}
