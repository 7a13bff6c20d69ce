import type { SqlConnection } from "../../sql/connection.ts";
import type { Dialect } from "../../sql/dialect.ts";
import type { Dictionaries } from "../dictionary.ts";
import { readStoredBytes } from "../long-text/stored-bytes.ts";
import type { ReadBudget } from "../read-budget.ts";
import { ReadError } from "../read-error.ts";
import type {
  AuthorizationsOfAddress,
  AuthorizationsPage,
  AuthorizationsQuery,
  JsonText,
  PageRequest,
} from "../types.ts";
import { type AuthorizationEntry, authorizationEntries } from "./authorization-entries.ts";

/** Owners of the aggregates of a key, in steps, so that a network full of delegations never blocks the thread. */
const ownersOf = ({
  indexedBy,
}: Dialect): string => `SELECT owner_id FROM aggregates ${indexedBy("aggregates_key")} WHERE key_id = ?
  ORDER BY updated_us, owner_id LIMIT ? OFFSET ?`;
const OWNERS_STEP = 5_000;

/** Entries of one address and of one page; of an address what is beyond is left out, a larger page is refused. */
const MAX_ADDRESS_CHARACTERS = 256 * 1024;
const MAX_PAGE_CHARACTERS = 8 * 1024 * 1024;

/** Delegations that an address gave (by grantee, in the order of the stored list) or was given (by granter). */
export class Authorizations {
  readonly #connection: SqlConnection;
  readonly #names: Dictionaries;

  constructor(connection: SqlConnection, names: Dictionaries) {
    this.#connection = connection;
    this.#names = names;
  }

  /** @throws ReadError ANSWER_TOO_LARGE */
  page(query: AuthorizationsQuery, page: PageRequest, budget: ReadBudget): AuthorizationsPage {
    const keyId = this.#names.labels.idOf("security");
    if (keyId === null) return { authorizations: [], total: 0 };
    return query.kind === "granted"
      ? this.#granted(keyId, query, page, budget)
      : this.#received(keyId, query, page, budget);
  }

  #granted(
    keyId: number,
    query: AuthorizationsQuery,
    { page, pageSize }: PageRequest,
    budget: ReadBudget,
  ): AuthorizationsPage {
    const ownerId = this.#names.addresses.idOf(query.address);
    if (ownerId === null) return { authorizations: [], total: 0 };
    const grantees = new Set<string>();
    for (const { address } of this.#entries(keyId, ownerId, query, budget)) {
      if (query.filter.other === undefined || query.filter.other === address) grantees.add(address);
    }
    const wanted = new Map<string, Collected>();
    for (const address of [...grantees].slice((page - 1) * pageSize, page * pageSize))
      wanted.set(address, new Collected());
    for (const { address, json } of wanted.size === 0 ? [] : this.#entries(keyId, ownerId, query, budget))
      wanted.get(address)?.add(json);
    return pageOf(
      [...wanted].map(([address, { entriesJson }]) => ({ address, entriesJson })),
      grantees.size,
    );
  }

  #received(
    keyId: number,
    query: AuthorizationsQuery,
    { page, pageSize }: PageRequest,
    budget: ReadBudget,
  ): AuthorizationsPage {
    const granters: { readonly id: number; readonly address: string }[] = [];
    for (const id of this.#owners(keyId, query.filter.other, budget)) {
      for (const { address } of this.#entriesWith(keyId, id, query, budget)) {
        if (address !== query.address) continue;
        granters.push({ id, address: this.#names.addresses.nameOf(id) });
        break;
      }
    }
    granters.sort((a, b) => (a.address < b.address ? -1 : 1));
    const authorizations = granters.slice((page - 1) * pageSize, page * pageSize).map(({ id, address }) => {
      const collected = new Collected();
      for (const entry of this.#entriesWith(keyId, id, query, budget))
        if (entry.address === query.address) collected.add(entry.json);
      return { address, entriesJson: collected.entriesJson };
    });
    return pageOf(authorizations, granters.length);
  }

  *#owners(keyId: number, granter: string | undefined, budget: ReadBudget): Iterable<number> {
    if (granter !== undefined) {
      const id = this.#names.addresses.idOf(granter);
      if (id !== null) yield id;
      return;
    }
    for (let offset = 0; ; offset += OWNERS_STEP) {
      budget.checkpoint();
      const owners = this.#connection.all<{ owner_id: number }>(
        ownersOf(this.#connection.dialect),
        keyId,
        OWNERS_STEP,
        offset,
      );
      for (const { owner_id } of owners) yield owner_id;
      if (owners.length < OWNERS_STEP) return;
    }
  }

  /** Nothing when the list cannot have an entry for the address of the query. */
  #entriesWith(
    keyId: number,
    ownerId: number,
    query: AuthorizationsQuery,
    budget: ReadBudget,
  ): Iterable<AuthorizationEntry> {
    const list = this.#list(keyId, ownerId);
    // An address is plain text in most lists; only an escape could hide it.
    const mayHave = list !== null && (list.includes(query.address) || list.includes("\\"));
    return mayHave ? authorizationEntries(list, query.filter, budget) : [];
  }

  #entries(
    keyId: number,
    ownerId: number,
    query: AuthorizationsQuery,
    budget: ReadBudget,
  ): Iterable<AuthorizationEntry> {
    const list = this.#list(keyId, ownerId);
    return list === null ? [] : authorizationEntries(list, query.filter, budget);
  }

  /** As bytes: a list may be too long for the heap of the thread. */
  #list(keyId: number, ownerId: number): Buffer | null {
    const { utf8, textStart } = this.#connection.dialect;
    return readStoredBytes(this.#connection, {
      expression: utf8("value"),
      from: `FROM aggregate_fields WHERE owner_id = ? AND key_id = ?
        AND ${textStart("field")} = 'authorizations' AND field = 'authorizations'`,
      parameters: [ownerId, keyId],
    });
  }
}

/** Entries of one address, as many as are served. */
class Collected {
  readonly entriesJson: JsonText[] = [];
  #characters = 0;

  add(json: JsonText): void {
    this.#characters += json.length;
    if (this.#characters <= MAX_ADDRESS_CHARACTERS) this.entriesJson.push(json);
  }
}

function pageOf(authorizations: readonly AuthorizationsOfAddress[], total: number): AuthorizationsPage {
  const characters = authorizations
    .flatMap(({ entriesJson }) => entriesJson)
    .reduce((sum, json) => sum + json.length, 0);
  if (characters > MAX_PAGE_CHARACTERS) {
    const message = "these authorizations are too large for one answer: ask for fewer with `pagination`";
    throw new ReadError("ANSWER_TOO_LARGE", message, { maxCharacters: MAX_PAGE_CHARACTERS });
  }
  return { authorizations, total };
}
