import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries } from "../dictionary.ts";

const ACCOUNT = `SELECT tokens, held, credit_rate, removing, credits_in, credits_out,
  CAST(next_event_us AS TEXT) AS next_event FROM accounts WHERE id = ?`;

/** A text that is another one whenever something has changed of what an account has or owes; null: there is none. */
export function accountMark(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  address: string,
): string | null {
  const id = addresses.idOf(address);
  const row =
    id === null ? undefined : connection.get<Readonly<Record<string, string | number>>>(ACCOUNT, id);
  return row === undefined ? null : Object.values(row).join(" ");
}
