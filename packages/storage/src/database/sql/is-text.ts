import type { SqlConnection } from "./connection.ts";

/**
 * A text is this one; the parameter is given twice, since where the index holds only how texts begin, that is what
 * is looked up.
 */
export function isText({ dialect }: Pick<SqlConnection, "dialect">, column: string): string {
  return `${dialect.textStart(column)} = ${dialect.textStart("?")} AND ${column} = ?`;
}
