import type { SqlConnection } from "../sql/connection.ts";

/** Derived entities that have a leaf of their own; the position is what the database stores. */
export const DERIVED_KINDS = ["post", "aggregate", "tag", "vm"] as const;
export type DerivedKind = (typeof DERIVED_KINDS)[number];

/** Notes that the leaf of a derived entity is out of date. One may be noted more than once. */
export function markDirty(
  session: { readonly connection: SqlConnection },
  kind: DerivedKind,
  name: string,
): void {
  session.connection.run(
    "INSERT INTO derived_dirty (kind, name) VALUES (?, ?)",
    DERIVED_KINDS.indexOf(kind),
    name,
  );
}
