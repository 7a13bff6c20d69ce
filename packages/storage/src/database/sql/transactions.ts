import type { SqlConnection } from "./connection.ts";

/** Runs `work` in one transaction that writes; any exception rolls it back and is thrown on. */
export function inTransaction<T>(
  connection: Pick<SqlConnection, "begin" | "commit" | "rollBack">,
  work: () => T,
): T {
  connection.begin();
  try {
    const result = work();
    connection.commit();
    return result;
  } catch (error) {
    connection.rollBack();
    throw error;
  }
}
