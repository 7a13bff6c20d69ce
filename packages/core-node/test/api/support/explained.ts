import assert from "node:assert/strict";
import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { EXPLANATION } from "../../../src/api/explanations/explanation.ts";
import type { TestApi } from "./start-api.ts";

/** One step of the arithmetic of an answer. */
export interface Step {
  readonly line: string;
  readonly name: string;
  readonly formula: string;
  readonly amount: string;
  readonly unit: string;
}

export interface ExplainedFile {
  readonly name: string;
  readonly used_as: string;
  readonly file_hash: string | null;
  readonly size: number | null;
  readonly resolved: boolean;
  readonly billed_mib: string | null;
}

/** The answer of the explanation route. */
export interface Explained {
  readonly status: string;
  readonly rule: { readonly name: string; readonly says: string };
  readonly inputs: Readonly<Record<string, unknown>> & { readonly files?: readonly ExplainedFile[] };
  readonly arithmetic: readonly Step[];
  readonly changes: readonly string[];
  readonly now: {
    readonly accepted: boolean;
    readonly rule: { readonly name: string; readonly says: string };
    readonly price_list: string;
    readonly is_same_list: boolean | null;
    readonly arithmetic: readonly Step[];
    readonly differences: readonly unknown[];
    readonly inputs: Readonly<Record<string, unknown>>;
  } | null;
}

export async function explain(api: Pick<TestApi, "url">, itemHash: string): Promise<Explained> {
  const response = await fetch(`${api.url}/api/v1/messages/${itemHash}/explanation`);
  assert.equal(response.status, 200);
  const body = (await response.json()) as Explained;
  assertDescribed(EXPLANATION, body);
  assertDescribed(EXPLANATION.properties.inputs, body.inputs);
  return body;
}

/** The answer is as the description of the API says, and holds nothing that the description does not name. */
export function assertDescribed(schema: TObject, body: object): void {
  const exact: TSchema = Type.Object(schema.properties, { additionalProperties: false });
  const problems = [...Value.Errors(exact, body)].map(({ path, message }) => `${path}: ${message}`);
  assert.deepEqual(problems, []);
}

/** The amounts of an arithmetic, by the name of the line; the last one of a name counts. */
export const amountsOf = ({ arithmetic }: { readonly arithmetic: readonly Step[] }): Record<string, string> =>
  Object.fromEntries(arithmetic.map(({ line, amount }) => [line, amount]));
