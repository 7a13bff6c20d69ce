import { createClient } from "@twentysix/sdk";
import { all } from "../../support/sdk-client.ts";
import { definition } from "./test-authority.ts";

export interface PostedLine {
  readonly address: string;
  readonly amount: number;
  readonly time: number;
  readonly price: string;
  readonly ref?: string;
  readonly count?: number;
  readonly execution_id?: string;
}

/** An expense as it stands on the network. */
export interface PostedExpense {
  readonly start_date: number;
  readonly end_date: number;
  readonly version?: number;
  readonly count: number;
  readonly amount: number;
  readonly part: number;
  readonly complete: boolean;
  readonly credits: readonly PostedLine[];
  readonly hold: readonly PostedLine[];
  readonly stats: { readonly hold: { readonly count: number; readonly amount: number } };
  readonly credit_price_usdc: number;
  readonly credit_price_aleph: number;
}

/** The expenses on the network, oldest first. */
export async function postedExpenses(
  apiUrl: string,
  kind: "storage" | "execution",
): Promise<PostedExpense[]> {
  const { expensePostType, addresses } = definition.authorities.credits;
  const posts = await all(
    createClient({ apiUrl }).iteratePosts({
      owners: addresses,
      types: [expensePostType],
      tags: [`type_${kind}`],
      order: "ascending",
    }),
  );
  return posts.map(({ content }) => (content as unknown as { expense: PostedExpense }).expense);
}
