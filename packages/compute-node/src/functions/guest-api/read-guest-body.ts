import type { IncomingMessage } from "node:http";
import type { BodyBudget } from "./body-budget.ts";
import { GuestApiError } from "./errors.ts";

/**
 * The whole body; it counts against the budget until the work on it has ended.
 *
 * @throws GuestApiError 413, 503
 */
export async function withGuestBody<Result>(
  request: IncomingMessage,
  maxBytes: number,
  { vmHash, budget }: { readonly vmHash: string; readonly budget: BodyBudget },
  work: (body: Buffer) => Result | Promise<Result>,
): Promise<Result> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (length + chunk.length > maxBytes)
        throw new GuestApiError(413, `A body has at most ${maxBytes} bytes here`);
      budget.take(vmHash, chunk.length);
      length += chunk.length;
      chunks.push(chunk);
    }
    return await work(Buffer.concat(chunks, length));
  } finally {
    budget.giveBack(vmHash, length);
  }
}
