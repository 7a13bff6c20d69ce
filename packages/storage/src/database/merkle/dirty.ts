import type { SqlConnection } from "../sql/connection.ts";

/** Derived entities that have a leaf of their own; the position is what the database stores. */
export const DERIVED_KINDS = ["post", "aggregate", "tag", "vm"] as const;
export type DerivedKind = (typeof DERIVED_KINDS)[number];

/** Entities that are remembered as noted; more are noted again and again, which costs no more than a row each. */
const MAX_REMEMBERED = 50_000;

/**
 * Derived entities whose leaf is out of date, written down in the transaction that changes them. Most are changed
 * over and over: what is noted already, and not yet taken up by the trees, is not noted again.
 */
export class DirtyEntities {
  readonly #connection: SqlConnection;
  readonly #noted = new Set<string>();

  constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  note(kind: DerivedKind, name: string): void {
    const code = DERIVED_KINDS.indexOf(kind);
    const key = `${code}${name}`;
    if (this.#noted.has(key)) return;
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
    this.#noted.add(key);
    this.#connection.run("INSERT INTO derived_dirty (kind, name) VALUES (?, ?)", code, name);
  }

  /** Notes were rolled back, or the trees take them up: from now on every change is noted again. */
  forget(): void {
    this.#noted.clear();
  }
}
