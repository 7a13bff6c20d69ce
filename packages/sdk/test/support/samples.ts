import { createHash } from "node:crypto";
import { createEvmAccount, createSolanaAccount } from "../../src/index.ts";

/** A key for tests, derived from a label. */
export function testKey(label: string): Uint8Array {
  return createHash("sha256").update(`twentysix sdk test ${label}`).digest();
}

export const ethAccount = createEvmAccount({ privateKey: testKey("eth") });
export const solAccount = createSolanaAccount({ privateKey: testKey("sol") });

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A message as nodes list it. */
export function listedMessage(label: string, time = 1_700_000_000.5): Record<string, unknown> {
  return {
    item_hash: hashOf(label),
    type: "POST",
    chain: "ETH",
    sender: ethAccount.address,
    signature: "0x00",
    item_type: "inline",
    item_content: "{}",
    content: { label },
    time,
    channel: null,
    size: 2,
    confirmations: [],
    confirmed: false,
  };
}

/** Collects at most `limit` items. */
export async function take<Item>(items: AsyncIterable<Item>, limit: number): Promise<Item[]> {
  const taken: Item[] = [];
  if (limit === 0) return taken;
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}

/** `assert.rejects` with the code of an SdkError. */
export function withCode(code: string): (error: unknown) => boolean {
  return (error) => (error as { code?: unknown }).code === code;
}
