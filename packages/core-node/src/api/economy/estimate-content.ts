import {
  type ContentSwitches,
  type FormatProblem,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  PriceDecimal,
  type TypedContent,
  validateContent,
} from "@twentysix/protocol";
import type { PaidKind } from "@twentysix/state";

/** The part of a content whose file a client says the size of. */
export type SizedPart = "code" | "runtime" | "data" | "file" | number;

/** A content that is to be priced, with the sizes that its client expects, in MiB. */
export interface EstimateContent {
  readonly typed: Extract<TypedContent, { type: PaidKind }>;
  readonly sizesMib: ReadonlyMap<SizedPart, PriceDecimal>;
}

export type EstimateReading =
  | { readonly ok: true; readonly content: EstimateContent }
  | { readonly ok: false; readonly problems: readonly FormatProblem[] };

const SIZE = "estimated_size_mib";
/** More than any disk: 2^40 MiB. */
const MAX_MIB = 2 ** 40;

/**
 * Reads a content as its type says, beside which it may say how large files are that do not exist yet. `time` and
 * `allow_amend` may be left out: they have no price. The `loc` of a problem starts with `content`.
 */
export function readEstimateContent(
  type: PaidKind,
  content: JsonObject,
  switches: ContentSwitches,
): EstimateReading {
  const sizes = new Sizes();
  if (type === "STORE") sizes.take("file", content, ["content"], false);
  else {
    for (const part of ["code", "runtime", "data"] as const) {
      const of = memberOf(content, part);
      if (isJsonObject(of)) sizes.take(part, of, ["content", part], true);
    }
  }
  const checked = validateContent(type, completed(type, content, sizes), switches);
  const problems = [...sizes.problems, ...(checked.ok ? [] : checked.errors)];
  if (!checked.ok || problems.length > 0) return { ok: false, problems };
  const typed = { type, content: checked.content } as EstimateContent["typed"];
  return { ok: true, content: { typed, sizesMib: sizes.known } };
}

/** What may be left out is filled in, and what the schema of the message does not know is taken out. */
function completed(type: PaidKind, content: JsonObject, sizes: Sizes): JsonObject {
  const defaults = type === "STORE" ? { time: 0 } : { time: 0, allow_amend: false };
  const volumes = memberOf(content, "volumes");
  if (type === "STORE" || type === "V-PROGRAM" || !Array.isArray(volumes)) return { ...defaults, ...content };
  const plain = (volumes as readonly JsonValue[]).map((volume, index) => {
    if (!isJsonObject(volume) || memberOf(volume, "ref") === undefined) return volume;
    if (memberOf(volume, SIZE) === undefined) return volume;
    sizes.take(index, volume, ["content", "volumes", index], true);
    const { [SIZE]: _, ...rest } = volume;
    return rest;
  });
  return { ...defaults, ...content, volumes: plain };
}

/** The sizes that a client gave, and what is wrong with them. */
class Sizes {
  readonly known = new Map<SizedPart, PriceDecimal>();
  readonly problems: FormatProblem[] = [];

  /** Zero and null count as not given. */
  take(part: SizedPart, of: JsonObject, path: readonly (string | number)[], isWhole: boolean): void {
    const value = memberOf(of, SIZE) ?? null;
    if (value === null) return;
    const isNumber = typeof value === "number" || typeof value === "bigint";
    const fits = isNumber && value >= 0 && value <= MAX_MIB && (!isWhole || Number.isInteger(Number(value)));
    if (!fits) {
      const msg = `Input should be a ${isWhole ? "whole " : ""}number of MiB, from 0 to ${MAX_MIB}`;
      this.problems.push({ type: isWhole ? "int_type" : "float_type", loc: [...path, SIZE], msg });
    } else if (Number(value) > 0) {
      this.known.set(part, new PriceDecimal(value.toString()));
    }
  }
}
