import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isJsonObject,
  messageCost,
  PriceDecimal,
  parseJson,
  parseNetworkDefinition,
  validateContent,
} from "@twentysix/protocol";
import { priceLists } from "@twentysix/state";
import type { BenchContext } from "../context.ts";
import type { Figure } from "../figures.ts";
import { startNodeProcess } from "../processes.ts";
import { ESTIMATED_CONTENT, ledgerLists, ledgerLoad } from "./ledger-reads.ts";
import { fillLedger, pricedHashes } from "./ledger-rows.ts";

/** Bills that are computed in this process. */
const BILLS = 20_000;

/** Prices, balances, histories and costs over a ledger of as many entries, and as many costs, as there are messages. */
export async function ledger({ messages, say }: BenchContext): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "twentysix-ledger-"));
  try {
    const startedMs = performance.now();
    fillLedger(dataDir, messages);
    say(`${messages} entries and costs in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
    const hashes = pricedHashes(dataDir, 20_000);
    const node = await startNodeProcess(dataDir);
    try {
      const inProcess: Figure = {
        name: "bills computed in process",
        value: billsPerSecond(),
        unit: "bills/s",
      };
      return [inProcess, ...(await ledgerLoad(node, hashes, say)), ...(await ledgerLists(node.apiUrl, say))];
    } finally {
      await node.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The arithmetic alone: a content that was read, against a price list that was read. */
function billsPerSecond(): number {
  const path = new URL("../../networks/local.json", import.meta.url);
  const json = parseJson(readFileSync(path, "utf8"));
  const network = json.ok ? parseNetworkDefinition(json.value) : null;
  const content = parseJson(ESTIMATED_CONTENT.replace(',"estimated_size_mib":100', ""));
  if (network === null || !network.ok || !content.ok || !isJsonObject(content.value))
    throw new Error("networks/local.json or the content cannot be read");
  const read = validateContent("INSTANCE", content.value, network.definition.switches);
  if (!read.ok) throw new Error(`The content is invalid: ${JSON.stringify(read.errors)}`);
  const { book, settings } = priceLists(network.definition.pricing, network.definition.settings);
  const size = new PriceDecimal(100);
  const startedMs = performance.now();
  for (let at = 0; at < BILLS; at += 1) {
    messageCost({
      typed: { type: "INSTANCE", content: read.content },
      itemHash: "estimate",
      prices: book,
      settings,
      sizeOf: () => size,
      storedMib: null,
    });
  }
  return BILLS / ((performance.now() - startedMs) / 1000);
}
