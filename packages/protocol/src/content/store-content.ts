import { ITEM_TYPES, type ItemType } from "../envelope.ts";
import { itemTypeOfHash } from "../hash/item-hash.ts";
import type { JsonObject } from "../json/json-value.ts";
import { type CommonFields, commonFields, tagList } from "./common-fields.ts";
import { freeObject, openObject, optional, required, withRules } from "./composite-checks.ts";
import { type Payment, payment } from "./payment.ts";
import { itemHash, oneOf, string, wideInteger } from "./scalar-checks.ts";
import type { Validation } from "./validation.ts";

/** Unknown keys are dropped. Source: aleph-message `aleph_message/models/__init__.py`. */
export type StoreContent = CommonFields & {
  readonly item_type: ItemType;
  /** Hash of the file. */
  readonly item_hash: string;
  /** Name of the tag that the file is the newest version of. */
  readonly ref: string | null;
  /** Bytes, as the author says; never trusted. */
  readonly size: number | bigint | null;
  readonly content_type: string | null;
  readonly tags: readonly string[] | null;
  readonly metadata: JsonObject | null;
  /** null means hold. */
  readonly payment: Payment | null;
};

function paymentRule({ payment: chosen }: StoreContent): string | null {
  return chosen?.type === "superfluid"
    ? "Only 'hold' and 'credit' payment types are supported for store messages"
    : null;
}

function engineRule({ item_type, item_hash }: StoreContent, at: Validation): string | null {
  const actual = itemTypeOfHash(item_hash, at.switches);
  return actual === item_type ? null : `item_type is '${item_type}' but item_hash is of type '${actual}'`;
}

export const storeContent = withRules(
  openObject<StoreContent>({
    ...commonFields,
    item_type: required(oneOf(...ITEM_TYPES)),
    item_hash: required(itemHash),
    ref: optional(string()),
    size: optional(wideInteger()),
    content_type: optional(string()),
    tags: optional(tagList),
    metadata: optional(freeObject),
    payment: optional(payment),
  }),
  paymentRule,
  engineRule,
);
