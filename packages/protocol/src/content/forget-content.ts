import { type CommonFields, commonFields, emptyList } from "./common-fields.ts";
import { closedObject, list, optional, required } from "./composite-checks.ts";
import { itemHash, string } from "./scalar-checks.ts";
import type { Check } from "./validation.ts";

/** Source: aleph-message `aleph_message/models/__init__.py`. */
export type ForgetContent = CommonFields & {
  readonly hashes: readonly string[];
  /** Keys of aggregates; only keys of the shape of an item hash unless the network has forgetAggregatesByName. */
  readonly aggregates: readonly string[];
  readonly reason: string | null;
};

const MAX_TARGETS = 1000;
const MAX_REASON_LENGTH = 1000;

const keyText = string();
const aggregateKey: Check<string> = (value, at) =>
  (at.switches.forgetAggregatesByName === true ? keyText : itemHash)(value, at);

export const forgetContent = closedObject<ForgetContent>({
  ...commonFields,
  hashes: required(list(itemHash, { max: MAX_TARGETS })),
  aggregates: emptyList<string>(list(aggregateKey, { max: MAX_TARGETS })),
  reason: optional(string({ max: MAX_REASON_LENGTH })),
});
