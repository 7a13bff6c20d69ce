import { type TObject, Type } from "@sinclair/typebox";
import type { Parameter } from "./parameter.ts";
import type { ValidationProblem } from "./validation-problem.ts";

/** The parameters of a route by the name its code uses. */
export type QueryTable = Readonly<Record<string, Parameter<unknown>>>;

export type QueryValues<Table extends QueryTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Parameter<infer Value> ? Value : never;
};

export type QueryReading<Table extends QueryTable> =
  | {
      readonly ok: true;
      readonly values: QueryValues<Table>;
      /** The spelling that was used for each parameter that the client gave. */
      readonly spelled: ReadonlyMap<keyof Table, string>;
    }
  | { readonly ok: false; readonly problems: readonly ValidationProblem[] };

/**
 * Reads the parameters of `table` out of a query text. Unknown parameters are ignored, the first of a repeated
 * one wins, and every bad value is reported.
 */
export function readQuery<Table extends QueryTable>(table: Table, queryText: string): QueryReading<Table> {
  const given = new URLSearchParams(queryText);
  const values: Record<string, unknown> = {};
  const spelled = new Map<keyof Table, string>();
  const problems: ValidationProblem[] = [];
  for (const [name, parameter] of Object.entries(table)) {
    const spelling = queryText === "" ? undefined : parameter.names.find((candidate) => given.has(candidate));
    if (spelling === undefined) {
      values[name] = parameter.initial;
      continue;
    }
    spelled.set(name, spelling);
    const reading = parameter.read(given.get(spelling) ?? "");
    if (reading.ok) values[name] = reading.value;
    else {
      const { index, ok: _ok, ...problem } = reading;
      problems.push({ ...problem, loc: index === undefined ? [spelling] : [spelling, index] });
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  // Each value was made by the parameter of that name, which is what QueryValues says.
  return { ok: true, values: values as QueryValues<Table>, spelled };
}

/** The JSON schema of the parameters, for the API description. */
export function querySchema(table: QueryTable): TObject {
  return Type.Object(
    Object.fromEntries(
      Object.values(table).map((parameter) => {
        const [preferred = "", ...others] = parameter.names;
        const spellings = others.length === 0 ? [] : [`Also spelled ${others.join(", ")}.`];
        const told = [parameter.schema.description ?? [], spellings].flat().join(" ");
        return [
          preferred,
          Type.Optional({ ...parameter.schema, ...(told === "" ? {} : { description: told }) }),
        ];
      }),
    ),
    // Lists are given with commas. The document takes this from the schema of the whole query.
    { style: "form", explode: false },
  );
}
