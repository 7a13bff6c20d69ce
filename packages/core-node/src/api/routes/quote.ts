import { formatAtto, type JsonValue, memberOf, parseAtto, stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { InquiredMessage } from "../../ledger/ledger-inquiry.ts";
import type { PaymentReport } from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import type { ApiContext } from "../context.ts";
import { amountFor, billSteps, fundsSteps, unitOf } from "../explanations/arithmetic.ts";
import { pricesOf } from "../explanations/explain-message.ts";
import { listDifferences } from "../explanations/list-differences.ts";
import { quoteId, readQuoteId } from "../explanations/quote-id.ts";
import { QUOTE, QUOTE_BODY } from "../explanations/quote-schema.ts";
import { readQuotedMessage, refuseQuote } from "../explanations/quoted-message.ts";
import { disconnectSignal } from "../http/disconnect.ts";
import { readJsonBody, requireObject } from "../http/json-body.ts";
import { sendJson } from "../http/json-reply.ts";
import { addPost } from "../http/route.ts";
import { sendProblems } from "../http/send-error.ts";

/** What a message would cost, before it is signed. */
export function addQuoteRoute(api: FastifyInstance, context: ApiContext): void {
  addPost(
    api,
    "/api/v1/quote",
    {
      cost: "point",
      tag: "Prices",
      summary: "Quote for a message before it is signed",
      body: { "application/json": QUOTE_BODY },
      response: QUOTE,
      refusals: ["API_UNPROCESSABLE"],
    },
    (request, reply) => answerQuote(request, reply, context),
  );
}

async function answerQuote(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ApiContext,
): Promise<FastifyReply> {
  const body = requireObject(await readJsonBody(request, reply, context));
  if (!body.ok) return sendProblems(reply, body.problems);
  const { ledger } = context.services;
  const signal = disconnectSignal(reply);
  const { clock } = context.services;
  const { message, contentHash } = readQuotedMessage(body.value, body.text, clock.nowMicros());
  const report = await ledger.judge(message, signal);
  if (report === null)
    throw refuseQuote(`a message of type ${message.type} costs nothing: there is nothing to quote`);
  if ("unpriced" in report) throw refuseQuote(`there is no price for it: ${report.unpriced}`);
  const pricing = await pricesOf(ledger, report.priceList, signal);
  const { paymentType, rule, funds } = report;
  return sendJson(
    request,
    reply,
    stringifyJson({
      quote_id: quoteId({ priceList: report.priceList, contentHash }),
      price_list: report.priceList,
      owner: report.owner,
      payment_type: paymentType,
      accepted: report.isAccepted,
      rule: { name: rule, says: PAYMENT_RULES[rule].says },
      price: priceOf(report),
      arithmetic: [
        ...billSteps(report.lines, report.total, paymentType, pricing).map((step) => ({ ...step })),
        ...(funds === null ? [] : fundsSteps(funds, paymentType, report.runtimeSeconds)).map((step) => ({
          ...step,
        })),
      ],
      unresolved: [...report.unresolved],
      changes: [PAYMENT_RULES[rule].changes],
      since_quote: await sinceQuote(
        memberOf(body.value, "quote_id"),
        message,
        report,
        contentHash,
        context,
        signal,
      ),
    }),
  );
}

function priceOf({ paymentType, total }: Pick<PaymentReport, "paymentType" | "total">): {
  amount: string;
  unit: string;
  per_hour: string | null;
  per_day: string | null;
} {
  const amount = amountFor(paymentType, total);
  const times = (seconds: bigint): string | null =>
    paymentType === "hold" ? null : formatAtto((parseAtto(amount) ?? 0n) * seconds);
  return { amount, unit: unitOf(paymentType), per_hour: times(3_600n), per_day: times(86_400n) };
}

/** What is another price now than when an earlier quote was given, and why. */
async function sinceQuote(
  earlier: JsonValue | undefined,
  message: InquiredMessage,
  report: PaymentReport,
  contentHash: string,
  { services: { ledger } }: ApiContext,
  signal: AbortSignal,
): Promise<JsonValue> {
  if (earlier === undefined || earlier === null) return null;
  const name = typeof earlier === "string" ? readQuoteId(earlier) : null;
  if (name === null) throw refuseQuote("quote_id is not the id of a quote");
  if (name.contentHash !== contentHash) throw refuseQuote("quote_id was given for another content");
  const [before, after] = await Promise.all([
    ledger.priceList(name.priceList, signal),
    ledger.priceList(report.priceList, signal),
  ]);
  if (before === null) throw refuseQuote("quote_id names a price list that this node does not know");
  const then = await ledger.judge({ ...message, priceList: name.priceList }, signal);
  return {
    price_list: name.priceList,
    is_same: name.priceList === report.priceList,
    before: then === null || "unpriced" in then ? null : priceOf(then),
    differences: listDifferences(
      { pricing: JSON.parse(before.pricingText), settings: JSON.parse(before.settingsText) },
      {
        pricing: JSON.parse(after?.pricingText ?? "{}"),
        settings: JSON.parse(after?.settingsText ?? "{}"),
      },
    ).map((difference) => ({ ...difference })),
  };
}
