import {
  type Envelope,
  type FormatProblem,
  invalidFormat,
  type MessageError,
  type NetworkLimits,
  serialiseEnvelope,
} from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type { Origin } from "@twentysix/storage";

/*
 * What a submit endpoint refuses although the network accepts it: a sender who is still there can do it better.
 * Messages that come from other nodes, from the chain or from an archive are not held against these rules.
 */

/** The copy came straight from a client of this node. */
export function isSubmitted(origin: Origin): boolean {
  return origin === "http" || origin === "upload";
}

/** The rules of state on a node that lacks messages which its peers have. */
export function incompleteRules(rules: StateRules): StateRules {
  const { ledger } = rules;
  return { ...rules, ledger: ledger === null ? null : { ...ledger, fundsKnown: false } };
}

/** Why a submit endpoint refuses the envelope; null when it takes it. */
export function submissionError(
  envelope: Envelope,
  limits: Pick<NetworkLimits, "channelCharacters" | "gossipFrameBytes">,
): MessageError | null {
  const problems = [channelProblem(envelope, limits), frameProblem(envelope, limits)].filter(
    (problem) => problem !== null,
  );
  return problems.length === 0 ? null : invalidFormat(...problems);
}

/** Client libraries cannot read a message with a longer one. Source: aleph-message `aleph_message/models/__init__.py`. */
function channelProblem(
  { channel }: Envelope,
  { channelCharacters }: Pick<NetworkLimits, "channelCharacters">,
): FormatProblem | null {
  if (channel === null || channel.length <= channelCharacters) return null;
  if ([...channel].length <= channelCharacters) return null;
  const msg = `String should have at most ${channelCharacters} characters`;
  return { type: "string_too_long", loc: ["channel"], msg };
}

/** Peers do not relay a larger frame. Source: p2p-service `src/p2p/network.rs`. */
function frameProblem(
  envelope: Envelope,
  { gossipFrameBytes }: Pick<NetworkLimits, "gossipFrameBytes">,
): FormatProblem | null {
  const sizeBytes = Buffer.byteLength(serialiseEnvelope(envelope));
  if (sizeBytes <= gossipFrameBytes) return null;
  const size = `the serialised message has ${sizeBytes} bytes and the network relays at most ${gossipFrameBytes}`;
  const msg = `Value error, ${size}: upload the content as a file and reference it`;
  return { type: "value_error", loc: envelope.itemContent === null ? [] : ["item_content"], msg };
}

/**
 * The rules of state for a copy of a client: delegations never cover the permissions of the owner, and who cannot
 * pay is told so for good.
 */
export function submissionRules(rules: StateRules): StateRules {
  const { ledger } = rules;
  return {
    ...rules,
    securityAggregateOwnerOnly: true,
    ledger: ledger === null ? null : { ...ledger, refusesSecondsExpirations: true, isFromNetwork: false },
  };
}
