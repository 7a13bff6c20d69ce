import { type TSchema, Type } from "@sinclair/typebox";
import { echoOf } from "./validation-problem.ts";

/** What a parameter makes of a text: its value, or why it has none. `index` is set for one value of a list. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly type: string;
      readonly msg: string;
      readonly input: string;
      readonly index?: number;
      readonly ctx?: Readonly<Record<string, unknown>>;
    };

/** A query parameter: its schema (published in the API description), how it is read, its value when absent. */
export interface Parameter<T> {
  /** Accepted spellings, the preferred one first; the first one present wins. */
  readonly names: readonly string[];
  readonly schema: TSchema;
  readonly initial: T;
  read(text: string): Reading<T>;
}

interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
}

const INTEGER = /^[+-]?[0-9]+(\.0*)?$/;
const FLOAT = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const TRUE_WORDS = new Set(["1", "t", "true", "y", "yes", "on"]);
const FALSE_WORDS = new Set(["0", "f", "false", "n", "no", "off"]);

/** A whole number; a zero fraction is tolerated, an exponent is not. Values past 2^53 are cut to it. */
export function integer<T extends number | null>(
  names: readonly string[],
  initial: T,
  bounds: Bounds = {},
): Parameter<number | T> {
  return {
    names,
    initial,
    schema: Type.Integer({ ...bounds, ...(initial === null ? {} : { default: initial }) }),
    read(text) {
      if (!INTEGER.test(text)) {
        return fail(
          "int_parsing",
          "Input should be a valid integer, unable to parse string as an integer",
          text,
        );
      }
      const value = Math.min(Math.max(Number(text), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
      return outOfBounds(value, bounds, text) ?? { ok: true, value: value + 0 };
    },
  };
}

/** A decimal number, exponent allowed. */
export function decimal<T extends number | null>(
  names: readonly string[],
  initial: T,
  bounds: Bounds = {},
): Parameter<number | T> {
  return {
    names,
    initial,
    schema: Type.Number({ ...bounds, ...(initial === null ? {} : { default: initial }) }),
    read(text) {
      const value = FLOAT.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) {
        return fail(
          "float_parsing",
          "Input should be a valid number, unable to parse string as a number",
          text,
        );
      }
      return outOfBounds(value, bounds, text) ?? { ok: true, value };
    },
  };
}

/** A boolean word in any case. */
export function flag(names: readonly string[], initial = false): Parameter<boolean> {
  return {
    names,
    initial,
    schema: Type.Boolean({ default: initial }),
    read(text) {
      const word = text.toLowerCase();
      if (TRUE_WORDS.has(word)) return { ok: true, value: true };
      if (FALSE_WORDS.has(word)) return { ok: true, value: false };
      return fail("bool_parsing", "Input should be a valid boolean, unable to interpret input", text);
    },
  };
}

/** Any text up to `maxLength` UTF-16 units. */
export function text(names: readonly string[], maxLength?: number): Parameter<string | null> {
  return {
    names,
    initial: null,
    schema: Type.String(maxLength === undefined ? {} : { maxLength }),
    read(value) {
      if (maxLength !== undefined && value.length > maxLength) {
        return fail("string_too_long", `String should have at most ${maxLength} characters`, value, {
          max_length: maxLength,
        });
      }
      return { ok: true, value };
    },
  };
}

/** One word out of `values`. */
export function choice<const V extends string, T extends V | null>(
  names: readonly string[],
  values: readonly V[],
  initial: T,
): Parameter<V | T> {
  return {
    names,
    initial,
    schema: Type.Union(
      values.map((value) => Type.Literal(value)),
      initial === null ? {} : { default: initial },
    ),
    read: (value) => readChoice(values, value),
  };
}

/** A comma list of free texts; an empty text is a list of one empty text. */
export function textList(names: readonly string[]): Parameter<readonly string[] | null> {
  return listOf<string>(names, Type.String(), (value) => ({ ok: true, value }));
}

/** A comma list of words out of `values`. */
export function choiceList<const V extends string, T extends readonly V[] | null>(
  names: readonly string[],
  values: readonly V[],
  initial: T,
): Parameter<readonly V[] | T> {
  const item = Type.Union(values.map((value) => Type.Literal(value)));
  const list = listOf<V>(names, item, (value) => readChoice(values, value));
  // The reading of a list that is given is never null.
  const read = (text: string) => list.read(text) as Reading<readonly V[]>;
  return { names, schema: list.schema, read, initial };
}

/** A comma list whose values are each checked by `read`. No trimming, no escaping. */
export function listOf<V>(
  names: readonly string[],
  item: TSchema,
  read: (text: string) => Reading<V>,
): Parameter<readonly V[] | null> {
  return {
    names,
    initial: null,
    schema: Type.Array(item, { description: "Values separated by commas." }),
    read(list) {
      const values: V[] = [];
      for (const [index, part] of list.split(",").entries()) {
        const reading = read(part);
        if (!reading.ok) return { ...reading, index };
        values.push(reading.value);
      }
      return { ok: true, value: values };
    },
  };
}

function readChoice<V extends string>(values: readonly V[], value: string): Reading<V> {
  const known = values.find((candidate) => candidate === value);
  if (known !== undefined) return { ok: true, value: known };
  const expected = values.map((candidate) => `'${candidate}'`).join(", ");
  return fail("enum", `Input should be one of ${expected}`, value, { expected });
}

function outOfBounds(value: number, { minimum, maximum }: Bounds, input: string): Reading<never> | undefined {
  if (minimum !== undefined && value < minimum) {
    const msg = `Input should be greater than or equal to ${minimum}`;
    return fail("greater_than_equal", msg, input, { ge: minimum });
  }
  if (maximum !== undefined && value > maximum) {
    const msg = `Input should be less than or equal to ${maximum}`;
    return fail("less_than_equal", msg, input, { le: maximum });
  }
  return undefined;
}

/** Why a text is refused, with the part of it that is worth showing. */
export function fail(
  type: string,
  msg: string,
  input: string,
  ctx?: Readonly<Record<string, unknown>>,
): Reading<never> {
  return { ok: false, type, msg, input: echoOf(input), ...(ctx === undefined ? {} : { ctx }) };
}
