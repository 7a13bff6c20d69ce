import { parseJson, parseNetworkDefinition } from "../../src/index.ts";
import { digestOfBills, randomMessages } from "./random-bills.ts";

/** The bills of random messages on a network, as their digest. */
function digestInBrowser(networkText: string, seed: number, count: number): string {
  const parsed = parseJson(networkText);
  const result = parsed.ok ? parseNetworkDefinition(parsed.value) : null;
  if (!result?.ok) throw new Error("The network definition cannot be read");
  return digestOfBills(result.definition, randomMessages(seed, count));
}

// What the page calls: a bundle has no exports there.
Object.assign(globalThis, { digestInBrowser });
