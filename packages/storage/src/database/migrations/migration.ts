/** A numbered, forward-only change of the schema, one text a dialect. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** null: what it changes is part of an earlier migration, since no database of this engine is older than it. */
  readonly sql: { readonly sqlite: string; readonly postgres: string | null };
}
