import { CHAINS, type Chain } from "../chains.ts";
import { openObject, optional, required } from "./composite-checks.ts";
import { oneOf, string } from "./scalar-checks.ts";

export type PaymentType = "hold" | "superfluid" | "credit";

/** Source: aleph-message `aleph_message/models/execution/base.py`. */
export type Payment = {
  readonly chain: Chain | null;
  readonly receiver: string | null;
  readonly type: PaymentType;
};

export const payment = openObject<Payment>({
  chain: optional(oneOf(...CHAINS)),
  receiver: optional(string()),
  type: required(oneOf("hold", "superfluid", "credit")),
});
