import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  parseJson,
  sliceElements,
  sliceMembers,
} from "@twentysix/protocol";
import type { SqliteConnection } from "../sqlite/connection.ts";
import type { Dictionaries } from "./dictionary.ts";
import type { ReadBudget } from "./read-budget.ts";
import type { AuthorizationFilter, AuthorizationsOfAddress, JsonText } from "./types.ts";

const FIELD =
  "SELECT value FROM aggregate_fields WHERE owner_id = ? AND key_id = ? AND field = 'authorizations'";
/** Owners of the aggregates of a key, in steps, so that a network full of delegations never blocks the thread. */
const OWNERS = `SELECT owner_id FROM aggregates INDEXED BY aggregates_key WHERE key_id = ?
  ORDER BY updated_us, owner_id LIMIT ? OFFSET ?`;
const OWNERS_STEP = 5_000;

interface Entry {
  readonly address: string;
  readonly json: JsonText;
}

/** Delegations that an address gave, by grantee in the order of the stored list. */
export function authorizationsGranted(
  connection: SqliteConnection,
  names: Dictionaries,
  address: string,
  filter: AuthorizationFilter,
): AuthorizationsOfAddress[] {
  const ownerId = names.addresses.idOf(address);
  const keyId = names.labels.idOf("security");
  if (ownerId === null || keyId === null) return [];
  const byGrantee = new Map<string, JsonText[]>();
  for (const entry of entriesOf(storedList(connection, ownerId, keyId), filter)) {
    if (filter.other !== undefined && filter.other !== entry.address) continue;
    const entries = byGrantee.get(entry.address);
    if (entries === undefined) byGrantee.set(entry.address, [entry.json]);
    else entries.push(entry.json);
  }
  return [...byGrantee].map(([grantee, entriesJson]) => ({ address: grantee, entriesJson }));
}

/** Delegations that others gave to an address, ordered by granter. Looks at every `security` aggregate. */
export function authorizationsReceived(
  connection: SqliteConnection,
  names: Dictionaries,
  address: string,
  filter: AuthorizationFilter,
  budget: ReadBudget,
): AuthorizationsOfAddress[] {
  const keyId = names.labels.idOf("security");
  if (keyId === null) return [];
  const found: AuthorizationsOfAddress[] = [];
  for (const ownerId of ownersOf(connection, names, keyId, filter.other, budget)) {
    const text = storedList(connection, ownerId, keyId);
    // An address is plain text in most lists; only an escape could hide it.
    if (text === null || !(text.includes(address) || text.includes("\\"))) continue;
    const entriesJson = entriesOf(text, filter)
      .filter((entry) => entry.address === address)
      .map((entry) => entry.json);
    if (entriesJson.length > 0) found.push({ address: names.addresses.nameOf(ownerId), entriesJson });
  }
  return found.sort((a, b) => (a.address < b.address ? -1 : 1));
}

function* ownersOf(
  connection: SqliteConnection,
  names: Dictionaries,
  keyId: number,
  granter: string | undefined,
  budget: ReadBudget,
): Iterable<number> {
  if (granter !== undefined) {
    const id = names.addresses.idOf(granter);
    if (id !== null) yield id;
    return;
  }
  for (let offset = 0; ; offset += OWNERS_STEP) {
    budget.checkpoint();
    const owners = connection.all<{ owner_id: number }>(OWNERS, keyId, OWNERS_STEP, offset);
    for (const { owner_id } of owners) yield owner_id;
    if (owners.length < OWNERS_STEP) return;
  }
}

function storedList(connection: SqliteConnection, ownerId: number, keyId: number): JsonText | null {
  return connection.get<{ value: string }>(FIELD, ownerId, keyId)?.value ?? null;
}

/** Entries that name an address and pass the filter, as stored but without their address. */
function entriesOf(list: JsonText | null, filter: AuthorizationFilter): Entry[] {
  if (list === null || !list.trimStart().startsWith("[")) return [];
  const entries: Entry[] = [];
  for (const { start, end } of sliceElements(list)) {
    const json = list.slice(start, end);
    const parsed = parseJson(json);
    const entry = parsed.ok ? parsed.value : null;
    if (entry === null || !isJsonObject(entry)) continue;
    const address = memberOf(entry, "address");
    if (typeof address !== "string" || !passes(filter, entry)) continue;
    entries.push({ address, json: withoutAddress(json) });
  }
  return entries;
}

/** A dimension that an entry leaves open passes every filter. */
function passes(filter: AuthorizationFilter, entry: JsonObject): boolean {
  const member = (key: string): JsonValue | undefined => memberOf(entry, key);
  const chain = member("chain");
  const dimensions: readonly [readonly string[] | undefined, JsonValue | undefined][] = [
    [filter.types, member("types")],
    [filter.channels, member("channels")],
    [filter.chains, chain === undefined || chain === null || chain === "" ? [] : [chain]],
    [filter.postTypes, member("post_types")],
    [filter.aggregateKeys, member("aggregate_keys")],
  ];
  return dimensions.every(([wanted, own]) => {
    if (wanted === undefined || !Array.isArray(own) || own.length === 0) return true;
    return wanted.some((value) => own.includes(value));
  });
}

function withoutAddress(json: JsonText): JsonText {
  const members: string[] = [];
  for (const [key, { start, end }] of sliceMembers(json)) {
    if (key !== "address") members.push(`${JSON.stringify(key)}:${json.slice(start, end)}`);
  }
  return `{${members.join(",")}}`;
}
