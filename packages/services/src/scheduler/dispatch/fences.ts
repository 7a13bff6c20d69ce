import type { PushRecord } from "../state/push-record.ts";
import { hashesOf, type PushList } from "./push-list.ts";

type Promises = Pick<PushRecord, "keepsFences" | "fencesMs">;

const sentMs = (list: PushList, vmHash: string): number | null => {
  const seconds = list.elsewhere_after_seconds[vmHash];
  return seconds === undefined ? null : seconds * 1_000;
};

/** A list is about to be sent: whether it arrives is not known, so the weaker of what it and the one before say counts. */
export function fencesWhenSent({ fencesMs }: Promises, list: PushList): PushRecord["fencesMs"] {
  const offered = hashesOf(list).map((vmHash) => {
    const now = sentMs(list, vmHash);
    const before = fencesMs[vmHash];
    if (before === undefined) return [vmHash, now] as const;
    return [vmHash, now === null || before === null ? null : Math.max(now, before)] as const;
  });
  return { ...fencesMs, ...Object.fromEntries(offered) };
}

/** The node took a list, and said which machines will have ended in time; null: it knows nothing of that. */
export function fencesWhenTaken(list: PushList, fenced: readonly string[] | null): Promises {
  const promised = new Set(fenced);
  const fencesMs = hashesOf(list).map(
    (vmHash) => [vmHash, promised.has(vmHash) ? sentMs(list, vmHash) : null] as const,
  );
  return { keepsFences: fenced !== null, fencesMs: Object.fromEntries(fencesMs) };
}

/**
 * How long after the last signed request a machine may still run on its node. null: for ever, as far as is known.
 * undefined: the node says nothing of its machines, or has never heard of this one.
 */
export function fenceOf(
  { keepsFences, fencesMs }: Promises,
  { vmHash, wasSeen }: { readonly vmHash: string; readonly wasSeen: boolean },
): number | null | undefined {
  if (keepsFences === false) return undefined;
  const fence = fencesMs[vmHash];
  // What runs there by somebody else's word, and was in no list yet.
  return fence === undefined && wasSeen && keepsFences === true ? null : fence;
}
