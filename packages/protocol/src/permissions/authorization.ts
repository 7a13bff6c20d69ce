import type { MessageType } from "../envelope.ts";
import { isJsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import { parseJson } from "../json/parse-json.ts";
import { isOwnerItself } from "./owner.ts";

/** Key of the aggregate that holds an owner's delegations. */
export const SECURITY_AGGREGATE_KEY = "security";

/**
 * A delegation that is well-formed: who may act, and for which messages. An empty filter lets everything pass;
 * the items of a filter are compared as they are, so one that is no text matches nothing.
 */
export interface Authorization {
  readonly address: string;
  readonly chain: string | null;
  readonly channels: readonly JsonValue[];
  readonly types: readonly JsonValue[];
  readonly postTypes: readonly JsonValue[];
  readonly aggregateKeys: readonly JsonValue[];
}

/** What is to be authorised: who signs, and the message that it creates (or amends, or forgets). */
export interface AuthorizationRequest {
  readonly sender: string;
  readonly type: MessageType;
  readonly chain: string;
  readonly channel: string | null;
  /** Type of a POST, key of an AGGREGATE, as `labelOf` gives it. Not looked at for other types. */
  readonly label: string | null;
}

/**
 * The delegations in the content of a `security` aggregate. Entries that are malformed are left out: they match
 * nothing.
 */
export function authorizationsOfContent(content: JsonValue): Authorization[] {
  return isJsonObject(content) ? authorizationsOfValue(memberOf(content, "authorizations")) : [];
}

/** The same for the JSON text of the member `authorizations` alone. */
export function authorizationsOf(authorizationsText: string): Authorization[] {
  const parsed = parseJson(authorizationsText);
  return parsed.ok ? authorizationsOfValue(parsed.value) : [];
}

function authorizationsOfValue(value: JsonValue | undefined): Authorization[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly JsonValue[]).map(readEntry).filter((entry) => entry !== null);
}

function readEntry(entry: JsonValue): Authorization | null {
  if (!isJsonObject(entry)) return null;
  const address = memberOf(entry, "address");
  const chain = memberOf(entry, "chain") ?? null;
  const channels = filterOf(memberOf(entry, "channels"));
  const types = filterOf(memberOf(entry, "types"));
  const postTypes = filterOf(memberOf(entry, "post_types"));
  const aggregateKeys = filterOf(memberOf(entry, "aggregate_keys"));
  if (typeof address !== "string" || (chain !== null && typeof chain !== "string")) return null;
  if (channels === null || types === null || postTypes === null || aggregateKeys === null) return null;
  return { address, chain: chain === "" ? null : chain, channels, types, postTypes, aggregateKeys };
}

/** null for a filter that is not a list, which makes its entry malformed. */
function filterOf(value: JsonValue | undefined): readonly JsonValue[] | null {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : null;
}

/**
 * True when all filters of one delegation let the request pass. `post_types` says nothing about messages that
 * are not posts, `aggregate_keys` nothing about those that are not aggregates; a null channel is in no list.
 */
export function authorizes(entry: Authorization, request: AuthorizationRequest): boolean {
  return (
    isOwnerItself(request.sender, entry.address) &&
    (entry.chain === null || entry.chain === request.chain) &&
    passes(entry.channels, request.channel) &&
    passes(entry.types, request.type) &&
    (request.type !== "POST" || passes(entry.postTypes, request.label)) &&
    (request.type !== "AGGREGATE" || passes(entry.aggregateKeys, request.label))
  );
}

function passes(filter: readonly JsonValue[], value: string | null): boolean {
  return filter.length === 0 || (value !== null && filter.includes(value));
}
