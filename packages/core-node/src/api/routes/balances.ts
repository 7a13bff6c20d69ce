import { Type } from "@sinclair/typebox";
import { CHAINS, formatAtto, formatIsoZ } from "@twentysix/protocol";
import type { BalanceView, CreditAmount } from "@twentysix/storage";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ApiContext } from "../context.ts";
import { sendJson } from "../http/json-reply.ts";
import { addGet, type Call, pathValue } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";
import { sendList } from "../http/send-list.ts";
import { listMode, paginationParameters } from "../query/pagination.ts";
import { choice, choiceList, flag, integer } from "../query/parameter.ts";
import { listSchema } from "../schemas/list.ts";
import { nullable } from "../schemas/nullable.ts";

const BALANCE_PARAMETERS = {
  chain: choice(["chain"], CHAINS, null),
  includeCreditDetails: flag(["include_credit_details", "includeCreditDetails"]),
} as const;

const MIN_BALANCE = integer(["min_balance", "minBalance"], null, { minimum: 1 });
const PAGES = paginationParameters(100, { minimum: 0 });

const BALANCES_PARAMETERS = {
  chains: choiceList(["chains"], CHAINS, null),
  minBalance: MIN_BALANCE,
  ...PAGES,
} as const;

const CREDIT_BALANCES_PARAMETERS = { minBalance: MIN_BALANCE, ...PAGES } as const;

const BALANCE = Type.Object({
  address: Type.String(),
  balance: Type.Number({ description: "Tokens over all chains, or on the one that was asked for." }),
  details: Type.Record(Type.String(), Type.Number(), { description: "Tokens by chain; empty with chain." }),
  locked_amount: Type.Number({ description: "Tokens that its messages hold." }),
  credit_balance: Type.Integer(),
  credit_balance_details: nullable(
    Type.Array(
      Type.Object({
        expiration_date: nullable(Type.String({ format: "date-time" })),
        amount: Type.Integer(),
      }),
    ),
  ),
});

const LISTED_BALANCE = Type.Object({ address: Type.String(), balance: Type.Number(), chain: Type.String() });
const LISTED_CREDITS = Type.Object({ address: Type.String(), credits: Type.Integer() });

/** What addresses have. Source: pyaleph `src/aleph/web/controllers/accounts.py`. */
export function addBalanceRoutes(api: FastifyInstance, context: ApiContext): void {
  const { lists, clock } = context.services;
  const describe = (summary: string) => ({ tag: "Balances", summary });

  addGet(
    api,
    "/api/v0/addresses/:address/balance",
    { ...describe("Balance of an address"), cost: "point", query: BALANCE_PARAMETERS, response: BALANCE },
    (call) => answerBalance(call, context),
  );
  addGet(
    api,
    "/api/v0/balances",
    {
      ...describe("Token balances of all addresses, by chain"),
      cost: "list",
      query: BALANCES_PARAMETERS,
      response: listSchema("balances", LISTED_BALANCE),
    },
    (call) => {
      const { chains, minBalance } = call.query;
      const asked = listMode(call.query);
      if (!asked.ok) return sendProblems(call.reply, asked.problems);
      return sendList(call, asked.mode, shapeOf("balances"), lists, "balances", {
        ...(chains === null ? {} : { chains }),
        ...(minBalance === null ? {} : { minBalance: BigInt(minBalance) }),
      });
    },
  );
  addGet(
    api,
    "/api/v0/credit_balances",
    {
      ...describe("Credits of all addresses"),
      cost: "list",
      query: CREDIT_BALANCES_PARAMETERS,
      response: listSchema("credit_balances", LISTED_CREDITS),
    },
    (call) => {
      const { minBalance } = call.query;
      const asked = listMode(call.query);
      if (!asked.ok) return sendProblems(call.reply, asked.problems);
      return sendList(call, asked.mode, shapeOf("credit_balances"), lists, "creditBalances", {
        nowMicros: clock.nowMicros(),
        ...(minBalance === null ? {} : { minBalance: BigInt(minBalance) }),
      });
    },
  );
}

const shapeOf = (key: string) => ({ key, items: "array" as const, itemName: key, leading: "" });

async function answerBalance(
  { request, reply, query }: Call<typeof BALANCE_PARAMETERS>,
  { services: { reads, clock } }: ApiContext,
): Promise<FastifyReply> {
  const address = pathValue(request, "address");
  const nowMicros = clock.nowMicros();
  const view = await reads.balanceOf(address, nowMicros);
  const details = query.includeCreditDetails ? await reads.creditAmounts(address, nowMicros) : null;
  return sendJson(request, reply, balanceBody(address, view, query.chain, details));
}

function balanceBody(
  address: string,
  { byChain, lockedAtto, credits }: BalanceView,
  chain: string | null,
  details: readonly CreditAmount[] | null,
): string {
  const counted = chain === null ? byChain : byChain.filter((one) => one.chain === chain);
  const tokens = counted.reduce((sum, { tokensAtto }) => sum + tokensAtto, 0n);
  const shown = chain === null ? byChain : [];
  const ofChains = Object.fromEntries(shown.map((one) => [one.chain, numberOf(one.tokensAtto)]));
  const lots = details === null ? "null" : `[${details.map(creditAmount).join(",")}]`;
  return `{"address":${JSON.stringify(address)},"balance":${numberOf(tokens)},"details":${JSON.stringify(ofChains)},"locked_amount":${numberOf(lockedAtto)},"credit_balance":${credits},"credit_balance_details":${lots}}`;
}

/** Clients read balances as JSON numbers. */
const numberOf = (atto: bigint): number => Number(formatAtto(atto));

function creditAmount({ expirationMicros, amount }: CreditAmount): string {
  const date = expirationMicros === null ? "null" : `"${formatIsoZ(expirationMicros)}"`;
  return `{"expiration_date":${date},"amount":${amount}}`;
}
