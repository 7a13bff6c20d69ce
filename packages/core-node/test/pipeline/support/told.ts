import type { Signed } from "./signed.ts";
import type { StateHarness } from "./state-harness.ts";

/** What became of a message, in short: its status, and of a rejected one the code. */
export function told(node: StateHarness, { hash }: Pick<Signed, "hash">): string {
  const status = node.status(hash);
  if (status !== "rejected") return status ?? "unknown";
  return `rejected ${String(node.view(hash)?.error_code)}`;
}

/** Sends messages one after the other, each judged for good before the next; what became of each, in the end. */
export async function tell(node: StateHarness, ...messages: readonly Signed[]): Promise<string[]> {
  for (const { text } of messages) {
    await node.submit(text);
    await node.settle();
  }
  return messages.map((message) => told(node, message));
}
