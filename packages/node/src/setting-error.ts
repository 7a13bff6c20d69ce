import { flagOf, OPTIONS, type OptionKey } from "./config/index.ts";

/**
 * A setting that reads well and turns out to be wrong when it is used: a folder that cannot be made, a network
 * that is not there. The command line answers it like every other bad value, with one line and exit code 2.
 */
export class SettingError extends Error {
  readonly code:
    | "NETWORK_DEFINITION_INVALID"
    | "DATA_DIR_UNUSABLE"
    | "DATABASE_MISSING"
    | "CHAIN_KEY_UNUSABLE"
    | "CHAIN_SETTINGS_INVALID"
    | "CORE_NODES_MISSING"
    | "SCHEDULER_KEY_MISSING"
    | "SCHEDULER_KEY_UNUSABLE";
  readonly setting: OptionKey;

  constructor(code: SettingError["code"], setting: OptionKey, reason: string) {
    super(`${flagOf(OPTIONS[setting])}: ${reason}`);
    this.name = "SettingError";
    this.code = code;
    this.setting = setting;
  }
}
