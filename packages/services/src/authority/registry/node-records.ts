import { type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import type { OperationEvent } from "./events.ts";

/** What owners write of their nodes. */
export const EDITABLE_FIELDS = [
  "name",
  "multiaddress",
  "address",
  "picture",
  "banner",
  "description",
  "reward",
  "stream_reward",
  "manager",
  "authorized",
  "locked",
  "registration_url",
  "terms_and_conditions",
] as const;

export type EditableField = (typeof EDITABLE_FIELDS)[number];
/** Of any JSON type: nobody checked what was written. */
export type NodeFields = Record<EditableField, JsonValue>;

interface NodeRecord {
  readonly hash: string;
  readonly owner: string;
  readonly timeSeconds: number;
  readonly fields: NodeFields;
  score: number;
  performance: number;
  decentralization: number;
  isScored: boolean;
  /** Height since when it scores next to nothing. */
  inactiveSince: number | null;
}

export interface CoreNodeRecord extends NodeRecord {
  /** Units of 10^-18 of a token, by staker, in the order in which they came. */
  readonly stakers: Map<string, bigint>;
  totalStakedAtto: bigint;
  isActive: boolean;
  /** Item hashes of its compute nodes, in the order in which they were linked. */
  readonly computeNodes: string[];
  readonly hasBonus: boolean;
}

export interface ComputeNodeRecord extends NodeRecord {
  readonly type: JsonValue;
  /** Item hash of the core node that it is linked to. */
  parent: string | null;
}

/**
 * A core node as its first post makes it. What stands in `authorized` then is not taken, and an absent field is an empty
 * text. Source: aleph-nodestatus `src/aleph_nodestatus/status.py`.
 */
export function newCoreNode(
  event: OperationEvent,
  details: JsonObject,
  bonusBeforeHeight: number | null,
): CoreNodeRecord {
  return {
    ...newRecord(event, {
      ...givenFields(details),
      reward: memberOf(details, "reward") ?? event.address,
      locked: isTruthy(memberOf(details, "locked")),
      authorized: [],
    }),
    stakers: new Map(),
    totalStakedAtto: 0n,
    isActive: false,
    computeNodes: [],
    hasBonus: bonusBeforeHeight !== null && event.height !== null && event.height < bonusBeforeHeight,
  };
}

/** A compute node; here `authorized` and `locked` are as they were given. Same source. */
export function newComputeNode(
  event: OperationEvent,
  details: JsonObject,
  type: JsonValue,
): ComputeNodeRecord {
  const fields = { ...givenFields(details), reward: memberOf(details, "reward") ?? event.address };
  return { ...newRecord(event, fields), type, parent: null };
}

function newRecord({ itemHash, address, timeSeconds }: OperationEvent, fields: NodeFields): NodeRecord {
  return {
    hash: itemHash,
    owner: address,
    timeSeconds,
    fields,
    score: 0,
    performance: 0,
    decentralization: 0,
    isScored: false,
    inactiveSince: null,
  };
}

function givenFields(details: JsonObject): NodeFields {
  const entries = EDITABLE_FIELDS.map((field) => [field, memberOf(details, field) ?? ""] as const);
  return Object.fromEntries(entries) as NodeFields;
}

/** The fields that an amend gives; `locked` becomes a boolean then. */
export function amendedFields(details: JsonObject): Partial<NodeFields> {
  const given = EDITABLE_FIELDS.flatMap((field) => {
    const value = memberOf(details, field);
    if (value === undefined) return [];
    return [[field, field === "locked" ? isTruthy(value) : value] as const];
  });
  return Object.fromEntries(given);
}

/** As Python takes a value for true. */
export function isTruthy(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
