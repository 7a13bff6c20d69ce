import {
  formatAtto,
  type PricedPaymentType,
  type PriceList,
  type PriceRow,
  parseAtto,
} from "@twentysix/protocol";
import type {
  ReportedAmounts,
  ReportedFunds,
  ReportedLine,
  ReportedServed,
} from "../../ledger/payment-report.ts";

/** One step of a sum that anybody can do again. */
export type ArithmeticStep = {
  readonly line: string;
  readonly name: string;
  readonly formula: string;
  readonly amount: string;
  readonly unit: string;
};

const UNITS: Readonly<Record<PricedPaymentType, string>> = {
  hold: "tokens",
  superfluid: "tokens/s",
  credit: "credits/s",
};

const PRICE_KEYS: Readonly<Record<PricedPaymentType, keyof PriceRow>> = {
  hold: "holding",
  superfluid: "payg",
  credit: "credit",
};

/** The amount of a line or a total that counts for a payment type. */
export function amountFor(paymentType: PricedPaymentType, amounts: ReportedAmounts): string {
  if (paymentType === "hold") return amounts.hold;
  return paymentType === "credit" ? amounts.credit : amounts.stream;
}

export const unitOf = (paymentType: PricedPaymentType): string => UNITS[paymentType];

/** Each line of a bill with what it was multiplied from, and their sum. */
export function billSteps(
  lines: readonly ReportedLine[],
  total: ReportedAmounts,
  paymentType: PricedPaymentType,
  pricing: PriceList,
): ArithmeticStep[] {
  const unit = unitOf(paymentType);
  const machine = machineProduct(lines);
  const steps = lines.map((line) => ({
    line: line.type,
    name: line.name,
    formula: formulaOf(line, paymentType, pricing, machine),
    amount: amountFor(paymentType, line),
    unit,
  }));
  const sum = {
    line: "TOTAL",
    name: "TOTAL",
    formula: lines.length === 0 ? "there is nothing to pay for" : "sum of the lines",
    amount: amountFor(paymentType, total),
    unit,
  };
  return [...steps, sum];
}

/** Whose volume prices a machine pays: of several classes of GPUs the dearest. */
function machineProduct(lines: readonly ReportedLine[]): string {
  const products = lines.filter(({ type }) => type === "EXECUTION").map(({ name }) => name);
  if (products.some((name) => name.startsWith("instance_gpu_"))) return "instance_gpu_premium";
  return products[0] ?? "storage";
}

function formulaOf(
  { type, name, quantity }: ReportedLine,
  paymentType: PricedPaymentType,
  pricing: PriceList,
  machine: string,
): string {
  const isExecution = type === "EXECUTION";
  const product = isExecution ? name : type === "STORAGE" ? "storage" : machine;
  const { price } = pricing[product] ?? { price: { storage: null, compute_unit: null } };
  const row = isExecution ? price.compute_unit : price.storage;
  const rate = row?.[PRICE_KEYS[paymentType]] ?? "0";
  const perUnit = paymentType === "hold" ? rate : `(${rate} / 3600 s)`;
  const multiplied = `${quantity} ${isExecution ? "compute units" : "MiB"} × ${perUnit}`;
  if (type === "EXECUTION_VOLUME_DISCOUNT") return `minus the smaller of the volumes and ${multiplied}`;
  const minimum =
    paymentType === "credit" && !name.startsWith("instance_gpu_") ? ", at least 1 / 3600 s" : "";
  return `${multiplied}${minimum}, rounded down to 18 places`;
}

/** What the owner needs in all against what he has. */
export function fundsSteps(
  funds: ReportedFunds,
  paymentType: PricedPaymentType,
  runtimeSeconds: number,
): ArithmeticStep[] {
  const perDay = paymentType === "credit" ? `, each second of it for ${runtimeSeconds} s` : "";
  const step = stepIn(fundsUnit(paymentType));
  const short = shortOf(funds);
  return [
    step("COMMITTED", `what the owner pays for in this way already${perDay}`, funds.committed),
    step("ADDED", `this message${perDay}`, funds.added),
    step("REQUIRED", "COMMITTED + ADDED", funds.required),
    step("AVAILABLE", availableOf(paymentType), funds.available),
    ...(short === null ? [] : [step("SHORT", "REQUIRED - AVAILABLE", short)]),
  ];
}

/** What is left for a message once the older ones of its owner are served. */
export function servedSteps(
  served: ReportedServed,
  paymentType: PricedPaymentType,
  runtimeSeconds: number,
): ArithmeticStep[] {
  const lasting = paymentType === "credit" ? ` for ${runtimeSeconds} s` : "";
  const step = stepIn(fundsUnit(paymentType));
  return [
    step("AVAILABLE", availableOf(paymentType), served.available),
    step("BEFORE", `${served.messagesBefore} earlier messages of the owner${lasting}`, served.before),
    step("LEFT", "AVAILABLE - BEFORE, at least 0", served.left),
    step("NEEDED", `TOTAL${lasting}`, served.needed),
    ...(isNothing(served.short) ? [] : [step("SHORT", "NEEDED - LEFT", served.short)]),
  ];
}

/** What the owner lacks; null when he has enough. */
export function shortOf({ required, available }: ReportedFunds): string | null {
  const short = (parseAtto(required) ?? 0n) - (parseAtto(available) ?? 0n);
  return short > 0n ? formatAtto(short) : null;
}

export const isNothing = (amount: string): boolean => parseAtto(amount) === 0n;

/** In what the funds of a payment type are counted. */
export const fundsUnit = (paymentType: PricedPaymentType): string =>
  paymentType === "credit" ? "credits" : UNITS[paymentType];

const availableOf = (paymentType: PricedPaymentType): string =>
  paymentType === "credit"
    ? "credits that have not expired"
    : "tokens on all chains, without those in applications";

const stepIn =
  (unit: string) =>
  (line: string, formula: string, amount: string): ArithmeticStep => ({
    line,
    name: line,
    formula,
    amount,
    unit,
  });
