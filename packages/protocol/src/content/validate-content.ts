import type { MessageType } from "../envelope.ts";
import type { FormatProblem } from "../errors/error-table.ts";
import type { JsonValue } from "../json/json-value.ts";
import { type AggregateContent, aggregateContent } from "./aggregate-content.ts";
import { type ForgetContent, forgetContent } from "./forget-content.ts";
import { type InstanceContent, instanceContent } from "./instance-content.ts";
import { type PostContent, postContent } from "./post-content.ts";
import { type ProgramContent, programContent } from "./program-content.ts";
import { type StoreContent, storeContent } from "./store-content.ts";
import { type Check, type ContentSwitches, INVALID, Validation } from "./validation.ts";
import { type VProgramContent, vprogramContent } from "./vprogram-content.ts";

/** The content that belongs to each message type. */
export interface ContentByType {
  readonly AGGREGATE: AggregateContent;
  readonly FORGET: ForgetContent;
  readonly INSTANCE: InstanceContent;
  readonly POST: PostContent;
  readonly PROGRAM: ProgramContent;
  readonly STORE: StoreContent;
  readonly "V-PROGRAM": VProgramContent;
}

/** A content together with the type that says how to read it. */
export type TypedContent = {
  readonly [Type in MessageType]: { readonly type: Type; readonly content: ContentByType[Type] };
}[MessageType];

export type ContentResult<Content> =
  | { readonly ok: true; readonly content: Content }
  | { readonly ok: false; readonly errors: readonly FormatProblem[] };

const CHECKS: { readonly [Type in MessageType]: Check<ContentByType[Type]> } = {
  AGGREGATE: aggregateContent,
  FORGET: forgetContent,
  INSTANCE: instanceContent,
  POST: postContent,
  PROGRAM: programContent,
  STORE: storeContent,
  "V-PROGRAM": vprogramContent,
};

/**
 * Reads a content by the schema of its message type.
 *
 * The result is for decisions and for views built from the schema: values are coerced, absent optional members
 * have their defaults, keys that the schema ignores are missing. What is stored, hashed and served is the
 * original. `value` must come from `parseJson`, which remembers whether `1000.0` was written for `1000`: some
 * sizes must be integers. The `loc` of an error starts with `content`.
 */
export function validateContent<Type extends MessageType>(
  type: Type,
  value: JsonValue,
  switches: ContentSwitches = {},
): ContentResult<ContentByType[Type]> {
  const validation = new Validation(["content"], switches);
  const content = CHECKS[type](value, validation);
  return content === INVALID ? { ok: false, errors: validation.problems } : { ok: true, content };
}
