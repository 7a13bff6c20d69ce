import { isItemHash, type JsonObject } from "@twentysix/protocol";
import type { Wishes } from "../model/vm.ts";
import { at, isLoose, numberOf, textsOf } from "./json-reading.ts";

const MAX_ENTRIES = 10_000;

/** Reads the aggregate `placement` of an owner: machine to wishes. What is malformed wishes nothing. */
export function readWishes(aggregate: JsonObject): ReadonlyMap<string, Wishes> {
  const entries = Object.entries(aggregate).slice(0, MAX_ENTRIES);
  return new Map(
    entries.flatMap(([vmHash, value]) => (isLoose(value) ? [[vmHash, wishesOf(value)] as const] : [])),
  );
}

function wishesOf(value: unknown): Wishes {
  const asns = at(value, "asn_not");
  return {
    spreadWith: textsOf(at(value, "spread_with")).filter((hash) => isItemHash(hash)),
    countries: textsOf(at(value, "country")).map((country) => country.toUpperCase()),
    excludedAsns: Array.isArray(asns)
      ? asns.slice(0, 256).flatMap((asn: unknown) => numberOf(asn) ?? [])
      : [],
    hasColdRestart: at(value, "cold_restart") === true,
    maxPriceFactor: numberOf(at(value, "max_price_factor")),
  };
}
