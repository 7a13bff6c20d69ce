import { connectionFailure, RemoteFailure } from "../remote/remote-failure.ts";

/**
 * Kubo answers every failure of a call with HTTP 500 and a sentence; these tell what could not be found. Source:
 * kubo `core/commands/pin/pin.go`, boxo `ipld/merkledag`, go-ipld-format `merkledag.go`.
 */
const NOT_PINNED = /is not pinned|not pinned or pinned indirectly|is pinned recursively under another/;
const MISSING = /not found locally|block was not found|could not find|ipld: not found|merkledag: not found/;

/** What failed, out of an error of the client; everything that is none of a server's or of the way to it is thrown. */
export function kuboFailure(error: unknown): RemoteFailure {
  if (error instanceof RemoteFailure) return error;
  if (error instanceof Error && error.name === "HTTPError") return answerFailure(error);
  const failure = connectionFailure(error);
  if (failure !== undefined) return failure;
  throw error;
}

export const isNotPinned = (error: unknown): boolean =>
  error instanceof Error && NOT_PINNED.test(error.message);

function answerFailure(error: Error): RemoteFailure {
  const status = (error as { response?: { status?: number } }).response?.status ?? 0;
  if (MISSING.test(error.message)) return new RemoteFailure("missing", error.message, error);
  const isAway = status === 429 || status === 502 || status === 503 || status === 504;
  return new RemoteFailure(isAway ? "away" : "refused", `${error.message} (HTTP ${status})`, error);
}
