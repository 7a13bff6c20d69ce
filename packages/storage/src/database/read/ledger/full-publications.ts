import type { SqlConnection } from "../../sql/connection.ts";
import type { FullPublication, OmittedHolders } from "./ledger-views.ts";

const COMPLETE = `SELECT chain, height FROM balance_parts GROUP BY chain, height, n HAVING count(*) = n
  ORDER BY chain, height DESC`;
const MAX_SHOWN = 5;

/** The newest publication of each chain of which every part is here. */
export function fullPublications(connection: SqlConnection): FullPublication[] {
  const newest = new Map<string, FullPublication>();
  for (const { chain, height } of connection.allBig<{ chain: string; height: bigint }>(COMPLETE)) {
    if (!newest.has(chain)) newest.set(chain, { chain, height });
  }
  return [...newest.values()];
}

/** Every address that a publication lists has its height, or a later one. */
export function omittedHolders(
  connection: SqlConnection,
  { chain, height }: FullPublication,
): OmittedHolders {
  const rows = connection.iterateBig<{ address: string }>(
    `SELECT address FROM balances ${connection.dialect.indexedBy("balances_chain")}
      WHERE chain = ? AND dapp = '' AND height < ? AND tokens <> '0' ORDER BY address`,
    chain,
    height,
  );
  let count = 0;
  const addresses: string[] = [];
  for (const { address } of rows) {
    count += 1;
    if (addresses.length < MAX_SHOWN) addresses.push(address);
  }
  return { count, addresses };
}
