import type { OptionDefinition } from "./option-definition.ts";
import type { OPTIONS, OptionKey } from "./options.ts";

type ValueOf<O> = O extends OptionDefinition<infer T> ? T : never;

/** The settings of a node, complete and checked. Units are in the names; paths are absolute. */
export type NodeConfig = { readonly [K in OptionKey]: ValueOf<(typeof OPTIONS)[K]> };

/** Where the value of a setting came from. */
export type ConfigSource = "flag" | "environment" | "file" | "default";
