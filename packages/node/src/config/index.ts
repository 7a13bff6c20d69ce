export type { ConfigProblem } from "./config-problem.ts";
export { nearestName } from "./nearest-name.ts";
export type { ConfigSource, NodeConfig } from "./node-config.ts";
export {
  CONFIG_FILE_OPTION,
  environmentNameOf,
  fileKeyOf,
  flagOf,
  OPTION_KEYS,
  OPTIONS,
  type OptionKey,
} from "./options.ts";
export { type ConfigInputs, type ConfigOutcome, defaultConfig, resolveConfig } from "./resolve-config.ts";
export { ROLES, type Role } from "./roles-kind.ts";
