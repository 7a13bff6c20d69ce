import type { CreditHistoryFilter } from "@twentysix/storage";
import type { QueryValues } from "../query/read-query.ts";
import type { ValidationProblem } from "../query/validation-problem.ts";
import type { CREDIT_FILTER_PARAMETERS } from "../routes/credits.ts";

type Values = QueryValues<typeof CREDIT_FILTER_PARAMETERS>;

/** Problems that only show between parameters. */
export function filterProblems(
  { startDate, endDate }: Pick<Values, "startDate" | "endDate">,
  spelled: ReadonlyMap<string, string>,
): ValidationProblem[] {
  if (startDate === null || endDate === null || endDate >= startDate) return [];
  const [end = "endDate", start = "startDate"] = [spelled.get("endDate"), spelled.get("startDate")];
  const msg = `${end} cannot be lower than ${start}`;
  return [{ type: "value_error", loc: [end], msg, input: String(endDate) }];
}

/** The filter that a query asks for; what is not given is no condition. */
export function creditFilter(values: Values): CreditHistoryFilter {
  const { startDate, endDate, direction } = values;
  const conditions = {
    txHash: values.txHash,
    token: values.token,
    chain: values.chain,
    provider: values.provider,
    origin: values.origin,
    originRef: values.originRef,
    paymentMethod: values.paymentMethod,
    hasExpiration: values.hasExpiration,
    excludedMethods: values.excludedMethods,
    startMicros: startDate === null ? null : microsOf(startDate),
    endMicros: endDate === null ? null : microsOf(endDate),
    sign: direction,
    resourceTypes: values.resourceTypes,
    resource: values.resource,
  };
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== null));
}

const microsOf = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6));
