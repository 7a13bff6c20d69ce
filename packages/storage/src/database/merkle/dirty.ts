import type { SqliteConnection } from "../sqlite/connection.ts";

/** Derived entities that have a leaf of their own; the position is what the database stores. */
export const DERIVED_KINDS = ["post", "aggregate", "tag", "vm"] as const;
export type DerivedKind = (typeof DERIVED_KINDS)[number];

/** Notes that the leaf of a derived entity is out of date. */
export function markDirty(
  session: { readonly connection: SqliteConnection },
  kind: DerivedKind,
  name: string,
): void {
  session.connection.run(
    "INSERT OR IGNORE INTO derived_dirty (kind, name) VALUES (?, ?)",
    DERIVED_KINDS.indexOf(kind),
    name,
  );
}
