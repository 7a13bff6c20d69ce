import { COUNTER_CODE } from "../../codes.ts";
import type { SqlConnection } from "../../sql/connection.ts";
import type { Dictionaries, Dictionary } from "../dictionary.ts";

const PARTNERS = "SELECT b FROM counters WHERE dimension = ? AND a = ? AND n > 0 LIMIT 100000";

/** Types of the POSTs that an address sent, sorted. */
export function postTypesOfSender(connection: SqlConnection, names: Dictionaries, address: string): string[] {
  return partners(connection, names, "senderLabel", names.labels, address);
}

/** Channels in which an address sent messages, sorted. */
export function channelsOfSender(connection: SqlConnection, names: Dictionaries, address: string): string[] {
  return partners(connection, names, "senderChannel", names.channels, address);
}

function partners(
  connection: SqlConnection,
  { addresses }: Dictionaries,
  dimension: "senderLabel" | "senderChannel",
  names: Dictionary,
  address: string,
): string[] {
  const sender = addresses.idOf(address);
  if (sender === null) return [];
  return connection
    .all<{ b: number }>(PARTNERS, COUNTER_CODE[dimension], sender)
    .map(({ b }) => names.nameOf(b))
    .sort();
}
