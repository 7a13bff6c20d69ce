import type { JsonObject } from "../json/json-value.ts";
import { type CommonFields, checkNestedTags, commonFields } from "./common-fields.ts";
import { closedObject, freeObject, required } from "./composite-checks.ts";
import { string } from "./scalar-checks.ts";
import { type Check, INVALID } from "./validation.ts";

/** Source: aleph-message `aleph_message/models/__init__.py`. */
export type AggregateContent = CommonFields & {
  /** Name of the aggregate, plain or in the legacy object form. */
  readonly key: string | { readonly name: string };
  readonly content: JsonObject;
};

const keyObject = closedObject<{ readonly name: string }>({ name: required(string()) });
const keyText = string();

const key: Check<string | { readonly name: string }> = (value, at) =>
  at.firstOf<string | { readonly name: string }>(value, { str: keyText, AggregateContentKey: keyObject });

const taggedObject: Check<JsonObject> = (value, at) => {
  const object = freeObject(value, at);
  return object === INVALID || checkNestedTags(object, at) ? object : INVALID;
};

export const aggregateContent = closedObject<AggregateContent>({
  ...commonFields,
  key: required(key),
  content: required(taggedObject),
});
