import { LOG_LEVELS } from "@twentysix/platform";
import { integer, port } from "./number-kind.ts";
import type { OptionKind } from "./option-kind.ts";
import { size, sizeOrNone } from "./size-kind.ts";
import { addressRanges, choice, host, network, path } from "./text-kinds.ts";

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
  readonly unit?: "bytes" | "hours" | "requests per second" | "requests" | "connections";
}

function define<T>(option: OptionDefinition<T>): OptionDefinition<T> {
  return option;
}

const MIB = 2 ** 20;

/**
 * Every setting of a node, in one place: help texts, the reading of flags, environment and config file, and
 * docs/configuration.md all come from this table. The keys are those of `NodeConfig`.
 */
export const OPTIONS = {
  dataDir: define({
    name: "data-dir",
    kind: path("DIR"),
    defaultText: "./data",
    help: "Folder of the database, the files and the keys of the node; created when missing.",
  }),
  apiHost: define({
    name: "api-host",
    kind: host(),
    defaultText: "127.0.0.1",
    help: "Address that the HTTP API listens on; 0.0.0.0 or :: opens it to other machines.",
  }),
  apiPort: define({
    name: "api-port",
    kind: port(),
    defaultText: "4024",
    help: "Port of the HTTP API; 0 takes any free one.",
  }),
  p2pPort: define({
    name: "p2p-port",
    kind: port(),
    defaultText: "4025",
    help: "Port for connections of other nodes; 0 takes any free one.",
  }),
  network: define({
    name: "network",
    kind: network(),
    defaultText: "local",
    help: "Network to belong to: the name of a shipped definition, or a definition file.",
  }),
  logLevel: define({
    name: "log-level",
    kind: choice(LOG_LEVELS),
    defaultText: "info",
    help: "Least important kind of record that is logged.",
  }),
  maxDiskBytes: define({
    name: "max-disk",
    kind: sizeOrNone(64 * MIB),
    defaultText: "none",
    unit: "bytes",
    help: "Most disk space for the data folder; new work is refused beyond it.",
  }),
  maxMemoryBytes: define({
    name: "max-memory",
    kind: size(128 * MIB),
    defaultText: "1GiB",
    unit: "bytes",
    help: "Most memory for the process; new work is refused beyond it.",
  }),
  trustedProxies: define({
    name: "trusted-proxies",
    kind: addressRanges(),
    defaultText: "",
    help: "Reverse proxies whose X-Forwarded-For header is believed when a client's address is determined.",
  }),
  rateLimitPerSecond: define({
    name: "rate-limit-per-second",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: "200",
    unit: "requests per second",
    help: "API requests that one client address may make per second in the long run; 0 sets no limit. Clients on the machine itself (loopback) are not limited.",
  }),
  rateLimitBurst: define({
    name: "rate-limit-burst",
    kind: integer({ min: 1, max: 10_000_000 }),
    defaultText: "1000",
    unit: "requests",
    help: "API requests that one client address may make at once before the rate limit slows it down.",
  }),
  maxWebsockets: define({
    name: "max-websockets",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: "1000",
    unit: "connections",
    help: "Open websocket connections, all clients together; one more is refused.",
  }),
  maxBodySizeBytes: define({
    name: "max-body-size",
    kind: size(1_024),
    defaultText: "1MiB",
    unit: "bytes",
    help: "Largest body of an API request that is no upload of a file.",
  }),
  maxGracePeriodBytes: define({
    name: "max-grace-period-size",
    kind: sizeOrNone(0),
    defaultText: "10GiB",
    unit: "bytes",
    help: "Most bytes of all files together that no message refers to, or no longer does; uploads without a message are refused beyond it.",
  }),
  storageGracePeriodHours: define({
    name: "storage-grace-period-hours",
    kind: integer({ min: 0, max: 87_600, placeholder: "HOURS" }),
    defaultText: "24",
    unit: "hours",
    help: "How long a file is kept that no message refers to, or no longer does.",
  }),
} as const;

export type OptionKey = keyof typeof OPTIONS;

export const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];

/** `--api-port` */
export function flagOf(option: { readonly name: string }): string {
  return `--${option.name}`;
}

/** `TWENTYSIX_API_PORT` */
export function environmentNameOf(option: { readonly name: string }): string {
  return `${ENVIRONMENT_PREFIX}${option.name.replaceAll("-", "_").toUpperCase()}`;
}

/** `apiPort` */
export function fileKeyOf(option: { readonly name: string }): string {
  return option.name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

export const ENVIRONMENT_PREFIX = "TWENTYSIX_";

/** The setting that names the config file; it cannot be a key of that file. */
export const CONFIG_FILE_OPTION = {
  name: "config",
  placeholder: "FILE",
  help: "JSON file with further settings; flags and environment variables override it.",
} as const;
