import { CHAINS, type Chain } from "../chains.ts";
import { ITEM_TYPES, type ItemType } from "../envelope.ts";
import type { JsonValue } from "../json/json-value.ts";
import { type CommonFields, checkNestedTags, commonFields } from "./common-fields.ts";
import { closedObject, openObject, optional, required, withDefault, withRules } from "./composite-checks.ts";
import { float, itemHash, oneOf, string } from "./scalar-checks.ts";
import { type Check, INVALID } from "./validation.ts";

/** Source: aleph-message `aleph_message/models/__init__.py`. */
export type PostContent = CommonFields & {
  /** Chosen by the user; `amend` replaces the content of another post. */
  readonly type: string;
  readonly ref: string | ChainRef | null;
  readonly content: JsonValue;
};

/** Legacy form of a reference: a whole message, of which only the hash counts. */
export type ChainRef = {
  readonly chain: Chain;
  readonly channel: string | null;
  readonly item_content: string;
  readonly item_hash: string;
  readonly item_type: ItemType;
  readonly sender: string;
  readonly signature: string;
  readonly time: number;
  readonly type: "POST";
};

const chainRef = openObject<ChainRef>({
  chain: required(oneOf(...CHAINS)),
  channel: optional(string({ max: 128 })),
  item_content: required(string()),
  item_hash: required(itemHash),
  item_type: required(oneOf(...ITEM_TYPES)),
  sender: required(string()),
  signature: required(string()),
  time: required(float),
  type: withDefault(oneOf("POST"), () => "POST"),
});
const refText = string();

const ref: Check<string | ChainRef> = (value, at) =>
  at.firstOf<string | ChainRef>(value, { str: refText, ChainRef: chainRef });

const taggedJson: Check<JsonValue> = (value, at) => (checkNestedTags(value, at) ? value : INVALID);

export const postContent = withRules(
  closedObject<PostContent>({
    ...commonFields,
    content: optional(taggedJson),
    ref: optional(ref),
    type: required(string()),
  }),
  ({ type, ref: target }) =>
    type === "amend" && (target === null || target === "")
      ? "A 'ref' is required for POST type 'amend'"
      : null,
);
