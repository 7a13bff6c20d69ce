import type { FormatProblem } from "../errors/error-table.ts";
import { isFloatMember, type JsonValue } from "../json/json-value.ts";
import type { ProtocolSwitches } from "../switches/protocol-switches.ts";

/** What a check gives back once it has noted a problem. */
export const INVALID = Symbol("invalid");
export type Invalid = typeof INVALID;

/** Reads one JSON value as `Value`, or notes at least one problem and gives INVALID. */
export type Check<Value> = (value: JsonValue, at: Validation) => Value | Invalid;

/** The switches that content schemas read; an absent one has the normative position (off). */
export type ContentSwitches = Partial<
  Pick<
    ProtocolSwitches,
    "anyCidV1" | "forgetAggregatesByName" | "creditInstancesWithoutNode" | "strictVProgramScalars"
  >
>;

/** Longest text, in UTF-16 units, that a problem repeats as its `input`. */
const MAX_INPUT_LENGTH = 256;

/** Where a validation stands in the value, and the problems it has found. */
export class Validation {
  readonly switches: ContentSwitches;
  readonly #path: (string | number)[];
  readonly #containers: object[] = [];
  #problems: FormatProblem[] = [];

  /** `root` is the path of the whole value, which starts at the envelope. */
  constructor(root: readonly string[], switches: ContentSwitches) {
    this.#path = [...root];
    this.switches = switches;
  }

  get problems(): readonly FormatProblem[] {
    return this.#problems;
  }

  /** Runs `check` on a member or an element, with its key on the path. */
  inside<Value>(
    container: object,
    key: string | number,
    value: JsonValue,
    check: Check<Value>,
  ): Value | Invalid {
    this.#path.push(key);
    this.#containers.push(container);
    const result = check(value, this);
    this.#containers.pop();
    this.#path.pop();
    return result;
  }

  /** The current value is a number that was written as a float. */
  isFloat(): boolean {
    const container = this.#containers.at(-1);
    const key = this.#path.at(-1);
    return container !== undefined && key !== undefined && isFloatMember(container, key);
  }

  /** Notes a problem of the current value; the value itself is repeated when it is small. */
  fail(type: string, msg: string, input?: JsonValue): Invalid {
    this.#problems.push({
      type,
      loc: [...this.#path],
      msg,
      ...(isSmall(input) ? { input } : {}),
    });
    return INVALID;
  }

  /** Notes a problem of the member `key` of the current value. */
  failAt(key: string | number, type: string, msg: string, input?: JsonValue): Invalid {
    this.#path.push(key);
    this.fail(type, msg, input);
    this.#path.pop();
    return INVALID;
  }

  /**
   * The first check that succeeds. Its problems are dropped then; when none succeeds the problems of all stay,
   * each under the name of its alternative.
   */
  firstOf<Value>(value: JsonValue, alternatives: Readonly<Record<string, Check<Value>>>): Value | Invalid {
    const before = this.#problems;
    const collected: FormatProblem[] = [];
    for (const [name, check] of Object.entries(alternatives)) {
      this.#problems = [];
      this.#path.push(name);
      const depth = this.#path.length;
      // The alternative sees the container of the value: its own name is part of the path only.
      const result = check(value, this);
      this.#path.length = depth - 1;
      if (result !== INVALID) {
        this.#problems = before;
        return result;
      }
      collected.push(...this.#problems);
    }
    this.#problems = [...before, ...collected];
    return INVALID;
  }
}

function isSmall(input: JsonValue | undefined): input is JsonValue {
  if (input === undefined) return false;
  if (typeof input === "string") return input.length <= MAX_INPUT_LENGTH;
  return input === null || typeof input !== "object";
}
