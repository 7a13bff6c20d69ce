import type { JsonObject } from "../json/json-value.ts";
import { type LatestRef, refField } from "./common-fields.ts";
import {
  closedObject,
  freeObject,
  list,
  nullable,
  openObject,
  optional,
  required,
  withDefault,
} from "./composite-checks.ts";
import { type ExecutableFields, executableFields } from "./executable.ts";
import { boolean, oneOf, string } from "./scalar-checks.ts";
import { type Check, INVALID } from "./validation.ts";
import { type FunctionEnvironment, type InstanceEnvironment, programEnvironment } from "./vm-environment.ts";

export type Encoding = "plain" | "zip" | "squashfs";

/** Source: aleph-message `aleph_message/models/execution/program.py`. */
export type ProgramContent = ExecutableFields & {
  readonly type: "vm-function";
  readonly environment: FunctionEnvironment | InstanceEnvironment;
  readonly code: CodeContent;
  readonly runtime: LatestRef & { readonly comment: string };
  readonly data: DataContent | null;
  readonly export: { readonly encoding: Encoding; readonly mount: string } | null;
  readonly on: FunctionTriggers;
};

export type CodeContent = LatestRef & {
  readonly encoding: Encoding;
  readonly entrypoint: string;
  readonly interface: ProgramInterface | null;
  readonly args: readonly string[] | null;
};

export type ProgramInterface = "asgi" | "binary";

export type DataContent = {
  readonly encoding: Encoding;
  readonly mount: string;
  readonly ref: string;
  /** null means false. */
  readonly use_latest: boolean | null;
};

export type FunctionTriggers = {
  readonly http: boolean;
  /** Filters on message fields, each a free object. */
  readonly message: readonly JsonObject[] | null;
  readonly persistent: boolean | null;
};

const MAX_SUBSCRIPTION_KEYS = 32;

const encoding = oneOf("plain", "zip", "squashfs");

const subscription: Check<JsonObject> = (value, at) => {
  const object = freeObject(value, at);
  if (object === INVALID) return INVALID;
  const count = Object.keys(object).length;
  if (count <= MAX_SUBSCRIPTION_KEYS) return object;

  return at.fail(
    "value_error",
    `Value error, a subscription has at most ${MAX_SUBSCRIPTION_KEYS} entries, not ${count}`,
  );
};

export const programContent = closedObject<ProgramContent>({
  ...executableFields,
  type: required(oneOf("vm-function")),
  environment: required(programEnvironment),
  code: required(
    openObject<CodeContent>({
      encoding: required(encoding),
      entrypoint: required(string()),
      ref: refField,
      interface: optional(oneOf("asgi", "binary")),
      args: optional(list(string())),
      use_latest: withDefault(boolean, () => false),
    }),
  ),
  runtime: required(
    openObject<ProgramContent["runtime"]>({
      ref: refField,
      use_latest: withDefault(boolean, () => true),
      comment: required(string()),
    }),
  ),
  data: optional(
    openObject<DataContent>({
      encoding: required(encoding),
      mount: required(string()),
      ref: refField,
      use_latest: withDefault<boolean | null>(nullable(boolean), () => false),
    }),
  ),
  export: optional(
    openObject<NonNullable<ProgramContent["export"]>>({
      encoding: required(encoding),
      mount: required(string()),
    }),
  ),
  on: required(
    closedObject<FunctionTriggers>({
      http: required(boolean),
      message: optional(list(subscription)),
      persistent: optional(boolean),
    }),
  ),
});

/** How the program is called when it does not say: an entry point with a colon names a Python object. */
export function interfaceOf(code: CodeContent): ProgramInterface {
  return code.interface ?? (code.entrypoint.includes(":") ? "asgi" : "binary");
}
