import type { Chain, CryptoProvider, NetworkLimits, ProtocolSwitches } from "@twentysix/protocol";
import type { PreparedMessage } from "@twentysix/state";
import { ORIGINS } from "@twentysix/storage";
import type { CopyReader } from "../pipeline/copy-reader.ts";
import { type VerifiedCopy, verifyCopy } from "../pipeline/verify-copy.ts";
import type { CopyJob } from "../pipeline/writer/jobs.ts";
import type { ContentSource } from "../pipeline/writer/resolve-content.ts";
import type { Problems } from "./problems.ts";
import type { StoredCopy, StoredMessage } from "./stored-messages.ts";

export interface CopyChecks {
  readonly crypto: CryptoProvider;
  readonly switches: ProtocolSwitches;
  readonly limits: NetworkLimits;
  /** Chains whose contracts may send messages. What they accepted is taken as it is stored: no chain is asked. */
  readonly contractChains: readonly Chain[];
  readonly reader: CopyReader;
  /** Contents that are not inline, each held against its hash. */
  readonly contents: ContentSource;
  readonly problems: Problems;
}

/** Checks every stored copy of a message anew: syntax, hash, schema, signature, and its content where that is a file. */
export async function readCopies(message: StoredMessage, checks: CopyChecks): Promise<CopyJob[]> {
  const jobs: CopyJob[] = [];
  for (const copy of message.copies) {
    const prepared = await readCopy(message, copy, checks);
    if (prepared === null) continue;
    jobs.push({
      jobId: copy.copyId,
      copy: { kind: "message", message: prepared },
      origin: ORIGINS[copy.origin] ?? "import",
      receptionMicros: 0n,
    });
  }
  return jobs;
}

async function readCopy(
  { hash }: StoredMessage,
  stored: StoredCopy,
  checks: CopyChecks,
): Promise<PreparedMessage | null> {
  const refuse = (reason: string): null => {
    checks.problems.report("copies", `a copy of message ${hash} ${reason}`);
    return null;
  };
  const verified = verifyStored(stored, checks);
  if (verified.kind === "refused")
    return refuse(`does not verify: ${JSON.stringify(verified.error.details)}`);
  const envelope = verified.kind === "message" ? verified.message.envelope : verified.envelope;
  if (envelope.itemHash !== hash) return refuse(`is one of message ${envelope.itemHash}`);
  if (verified.kind === "message") return verified.message;
  if (verified.kind === "undecided" && envelope.itemType === "inline")
    return checks.reader.prepare(verified.envelopeText, null);
  const text = await checks.contents.read(hash);
  if (text === null) return refuse("has no content: the file is missing or has not its hash");
  const completed = checks.reader.withContent(envelope, verified.envelopeText, text);
  if (!completed.ok) return refuse(`has a malformed content: ${JSON.stringify(completed.error.details)}`);
  return completed.message;
}

/** Syntax, hash, schema and signature of a stored text; what came out of a chain event is vouched for by that. */
export function verifyStored(
  stored: Pick<StoredCopy, "envelope" | "origin">,
  {
    crypto,
    switches,
    limits,
    contractChains,
  }: Pick<CopyChecks, "crypto" | "switches" | "limits" | "contractChains">,
): VerifiedCopy {
  const trusted = ORIGINS[stored.origin] === "onchain";
  const options = { crypto, switches, limits, contractChains };
  return verifyCopy(stored.envelope, trusted ? { ...options, trusted } : options);
}
