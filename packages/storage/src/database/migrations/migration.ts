/** A numbered, forward-only change of the schema, one text a dialect. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: { readonly sqlite: string };
}
