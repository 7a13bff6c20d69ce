import { createClient } from "@twentysix/sdk";
import { type Acknowledgements, sha256Hex } from "./load.ts";

/** Requests on their way at once. */
const WIDTH = 16;

/** Asks a node for everything that was acknowledged; one line for each that it has lost. */
export async function findLost(apiUrl: string, acknowledged: Acknowledgements): Promise<string[]> {
  const { processed, accepted, forgetSent, files } = acknowledged;
  const client = createClient({ apiUrl });
  const lost: string[] = [];
  await eachOf([...new Set([...processed, ...accepted])], async (itemHash) => {
    const status = (await client.getStatus({ itemHash }))?.status ?? "unknown";
    const good = new Set<string>(["processed"]);
    if (forgetSent.has(itemHash)) good.add("forgotten");
    if (!processed.has(itemHash)) good.add("pending");
    if (!good.has(status)) lost.push(`message ${itemHash}: ${[...good].join(" or ")}, found ${status}`);
  });
  await eachOf([...files], async ([hash, sha256]) => {
    const response = await fetch(`${apiUrl}/api/v0/storage/raw/${hash}`);
    const found = sha256Hex(await response.bytes());
    if (response.status !== 200 || found !== sha256) lost.push(`file ${hash}: ${response.status} ${found}`);
  });
  return lost;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const run = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, run));
}
