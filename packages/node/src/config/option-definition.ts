import type { OptionKind } from "./option-kind.ts";

/** One setting. Its flag, environment variable and config key all follow from `name`. */
export interface OptionDefinition<T> {
  /** Words joined by hyphens: `api-port`. */
  readonly name: string;
  readonly kind: OptionKind<T>;
  /** As a user would write it in a flag; relative paths start from the working directory. */
  readonly defaultText: string;
  /** What it does, in one sentence without its default. */
  readonly help: string;
  /** The unit of the value in `NodeConfig`, where it has one. */
  readonly unit?: "bytes" | "hours" | "units per second" | "units" | "connections" | "uploads";
}

/** Keeps the type of the value. */
export function define<T>(option: OptionDefinition<T>): OptionDefinition<T> {
  return option;
}
