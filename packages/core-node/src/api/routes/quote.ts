import { type JsonObject, memberOf, type PriceList, stringifyJson } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { PaymentReport } from "../../ledger/payment-report.ts";
import { PAYMENT_RULES } from "../../ledger/payment-rules.ts";
import type { ApiContext } from "../context.ts";
import { type ArithmeticStep, billSteps, fundsSteps } from "../explanations/arithmetic.ts";
import { quoteId } from "../explanations/quote-id.ts";
import { priceJson } from "../explanations/quote-price.ts";
import { QUOTE, QUOTE_BODY } from "../explanations/quote-schema.ts";
import { readQuotedMessage, refuseQuote } from "../explanations/quoted-message.ts";
import { filesJson, pricesOf } from "../explanations/report-json.ts";
import { sinceQuote } from "../explanations/since-quote.ts";
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
  const { ledger, clock } = context.services;
  const signal = disconnectSignal(reply);
  const quoted = readQuotedMessage(body.value, body.text, clock.nowMicros());
  const { message, contentHash } = quoted;
  const report = await ledger.judge(message, signal);
  if (report === null)
    throw refuseQuote(`a message of type ${message.type} costs nothing: there is nothing to quote`);
  if ("unpriced" in report) throw refuseQuote(`there is no price for it: ${report.unpriced}`);
  const since = await sinceQuote(memberOf(body.value, "quote_id"), quoted, report, ledger, signal);
  const pricing = await pricesOf(ledger, report.priceList, signal);
  const { paymentType, rule } = report;
  const answer: JsonObject = {
    quote_id: quoteId({ priceList: report.priceList, contentHash }),
    price_list: report.priceList,
    owner: report.owner,
    payment_type: paymentType,
    accepted: report.isAccepted,
    rule: { name: rule, says: PAYMENT_RULES[rule].says },
    price: priceJson(report),
    files: filesJson(report.files),
    arithmetic: stepsOf(report, pricing),
    unresolved: unresolvedOf(report),
    changes: changesOf(report),
    since_quote: since,
  };
  return sendJson(request, reply, stringifyJson(answer));
}

function stepsOf(
  { lines, total, paymentType, funds, runtimeSeconds }: PaymentReport,
  pricing: PriceList,
): ArithmeticStep[] {
  return [
    ...billSteps(lines, total, paymentType, pricing),
    ...(funds === null ? [] : fundsSteps(funds, paymentType, runtimeSeconds)),
  ];
}

const unresolvedOf = ({ files }: PaymentReport): string[] => [
  ...new Set(files.filter(({ sizeBytes }) => sizeBytes === null).map(({ name }) => name)),
];

function changesOf(report: PaymentReport): string[] {
  const { rule, kind } = report;
  const changes = [PAYMENT_RULES[rule].changes];
  if (unresolvedOf(report).length === 0) return changes;
  const missing =
    kind === "STORE"
      ? "upload the file, or give its estimated_size: a file that is not known is not priced"
      : "publish what unresolved names first: the message waits for it, and it is not priced";
  return [missing, ...changes];
}
