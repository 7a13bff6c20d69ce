import { readFileSync } from "node:fs";
import {
  type Durability,
  type NetworkDefinition,
  parseJson,
  parseNetworkDefinition,
} from "@twentysix/protocol";
import { AUTHORITIES } from "./accounts.ts";

const LOCAL = new URL("../../../../networks/local.json", import.meta.url);

/** The network of nodes on one machine, with authorities whose keys the simulation holds. */
export function simulatedDefinition(durability: Durability): NetworkDefinition {
  const parsed = parseJson(readFileSync(LOCAL, "utf8"));
  const result = parsed.ok ? parseNetworkDefinition(parsed.value) : null;
  if (result?.ok !== true) throw new Error("networks/local.json cannot be read");
  const { definition } = result;
  const { authorities } = definition;
  return {
    ...definition,
    durability,
    authorities: {
      ...authorities,
      balances: { ...authorities.balances, addresses: [AUTHORITIES.balances.address] },
      credits: { ...authorities.credits, addresses: [AUTHORITIES.credits.address] },
      prices: { ...authorities.prices, address: AUTHORITIES.prices.address },
    },
  };
}
