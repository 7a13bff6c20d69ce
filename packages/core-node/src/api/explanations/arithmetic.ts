import type { PricedPaymentType, PriceList, PriceRow } from "@twentysix/protocol";
import type { ReportedAmounts, ReportedFunds, ReportedLine } from "../../ledger/payment-report.ts";

/** One step of a sum that anybody can do again. */
export interface ArithmeticStep {
  readonly line: string;
  readonly name: string;
  readonly formula: string;
  readonly amount: string;
  readonly unit: string;
}

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
  const isCredit = paymentType === "credit";
  const unit = isCredit ? "credits" : UNITS[paymentType];
  const step = (line: string, formula: string, amount: string): ArithmeticStep => ({
    line,
    name: line,
    formula,
    amount,
    unit,
  });
  const perDay = isCredit ? `, each second of it for ${runtimeSeconds} s` : "";
  return [
    step("COMMITTED", `what the owner pays for in this way already${perDay}`, funds.committed),
    step("ADDED", `this message${perDay}`, funds.added),
    step("REQUIRED", "COMMITTED + ADDED", funds.required),
    step(
      "AVAILABLE",
      isCredit ? "credits that have not expired" : "tokens on all chains, without those in applications",
      funds.available,
    ),
  ];
}
