import type { VmKind } from "../model/vm.ts";

const TYPE_DIGIT: Readonly<Record<VmKind, number>> = { persistent_program: 2, instance: 3, v_program: 4 };

/**
 * The address that a guest has on a node that gives addresses by its static policy, without shortening: four groups of
 * the pool, the kind of machine, and the beginning of its hash. null: the pool is none.
 *
 * Source: aleph-vm `network/ipaddresses.py`.
 */
export function staticGuestAddress(pool: string, kind: VmKind, vmHash: string): string | null {
  const groups = groupsOf(pool.split("/")[0] ?? "");
  if (groups === null) return null;
  const parts = [...groups.slice(0, 4), TYPE_DIGIT[kind].toString(16)];
  const hash = [vmHash.slice(0, 4), vmHash.slice(4, 8), `${vmHash.slice(8, 11)}1`];
  return [...parts, ...hash.map((text) => text.replace(/^0+(?=.)/, ""))].join(":");
}

function groupsOf(address: string): readonly string[] | null {
  const [head = "", tail, ...more] = address.split("::");
  if (more.length > 0) return null;
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...after];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.map((group) => group.toLowerCase().replace(/^0+(?=.)/, ""));
}
