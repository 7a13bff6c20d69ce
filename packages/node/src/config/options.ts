import { DEFAULT_API_SETTINGS } from "@twentysix/core-node/settings";
import { LOG_LEVELS } from "@twentysix/platform";
import { blobs } from "./blobs-kind.ts";
import { rpcUrls } from "./chain-kinds.ts";
import { COMPUTE_OPTIONS } from "./compute-options.ts";
import { integer, port } from "./number-kind.ts";
import { define } from "./option-definition.ts";
import { orWord } from "./option-kind.ts";
import { apiUrl, deniedPeers, gatewayUrls, ownAddresses, peerAddresses } from "./peer-kinds.ts";
import { roles } from "./roles-kind.ts";
import { SCHEDULER_OPTIONS } from "./scheduler-options.ts";
import { size, sizeText } from "./size-kind.ts";
import { addressRanges, choice, databaseUrl, host, network, path } from "./text-kinds.ts";

const MIB = 2 ** 20;
const { uploads, rate, websocket, maxJsonBodyBytes } = DEFAULT_API_SETTINGS;

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
  blobs: define({
    name: "blobs",
    kind: blobs(),
    defaultText: "files",
    help: "What keeps the bytes of files: the disk under the data folder, a bucket of S3 or of a server that speaks like it, or a Kubo daemon (docs/blobs.md). The keys of S3 are read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
  }),
  database: define({
    name: "database",
    kind: orWord(databaseUrl(), "embedded"),
    defaultText: "embedded",
    help: "PostgreSQL database to keep messages in instead of the one inside the data folder. What is given as a flag other users of the machine can read: put a password into the environment variable, the config file or a password file of PostgreSQL.",
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
    kind: orWord(port(), "none"),
    defaultText: "4025",
    help: "Port for connections of other nodes; 0 takes any free one, none keeps the node to itself.",
  }),
  p2pHost: define({
    name: "p2p-host",
    kind: orWord(host(), "network"),
    defaultText: "network",
    help: "Address that other nodes are listened to at. As the network says means 0.0.0.0 in a public network, and 127.0.0.1 in a private one.",
  }),
  peers: define({
    name: "peers",
    kind: peerAddresses(),
    defaultText: "",
    help: "Nodes to connect with, beside those that the network's definition names.",
  }),
  announce: define({
    name: "announce",
    kind: ownAddresses(),
    defaultText: "",
    help: "Where other nodes are told to find this one, in place of the addresses of this machine.",
  }),
  announceApi: define({
    name: "announce-api",
    kind: orWord(apiUrl(), "listened"),
    defaultText: "listened",
    help: "Where other nodes are told to find the HTTP API, in place of where it listens.",
  }),
  deny: define({
    name: "deny",
    kind: deniedPeers(),
    defaultText: "",
    help: "Nodes that this one has nothing to do with, by their names or addresses.",
  }),
  rpc: define({
    name: "rpc",
    kind: rpcUrls(),
    defaultText: "",
    help: "RPC servers of the chains on which the network anchors messages, each after its chain; of several for one chain the first that works is used (docs/anchoring.md).",
  }),
  indexers: define({
    name: "indexers",
    kind: orWord(rpcUrls(), "network"),
    defaultText: "",
    help: "Indexers or explorers of chains for which there is no RPC server, each after its chain; network takes those that the network's definition names (docs/anchoring.md).",
  }),
  chainKeyFile: define({
    name: "chain-key-file",
    kind: orWord(path("FILE"), "none"),
    defaultText: "none",
    help: "File with the private key of the account that pays for anchoring what no chain confirms, which nobody but its owner may reach (mode 0600); it must be one of the network's emitters.",
  }),
  gateways: define({
    name: "gateways",
    kind: gatewayUrls(),
    defaultText: "",
    help: "Trustless gateways of IPFS that are asked for what a CID names, beside the peers.",
  }),
  network: define({
    name: "network",
    kind: network(),
    defaultText: "local",
    help: "Network to belong to: the name of a shipped definition, or a definition file.",
  }),
  roles: define({
    name: "roles",
    kind: orWord(roles(), "network"),
    defaultText: "network",
    help: "What the process does: ccn keeps messages and files, crn runs functions and instances (docs/compute.md), scheduler decides which compute node runs what (docs/scheduler.md), authority publishes prices, balances, credits, expenses and the registry of nodes, api serves what a node with the same database server writes (docs/data.md). As the network says means ccn, and authority too where the keys of the authorities are published ones (docs/authority.md).",
  }),
  authorityKeys: define({
    name: "authority-keys",
    kind: orWord(path("FILE"), "none"),
    defaultText: "none",
    help: "File with the private keys of the network's authorities, one a line, which nobody but its owner may reach (mode 0600); for networks whose keys are not published.",
  }),
  authoritySettings: define({
    name: "authority-settings",
    kind: orWord(path("FILE"), "none"),
    defaultText: "none",
    help: "JSON file that says which balances, first credits and faucet grants the authority publishes, instead of those for development accounts.",
  }),
  authorityPrices: define({
    name: "authority-prices",
    kind: choice(["keep", "update"]),
    defaultText: "keep",
    help: "What the authority does with prices of the network that differ from its definition.",
  }),
  faucetPort: define({
    name: "faucet-port",
    kind: orWord(port(), "none"),
    defaultText: "4026",
    help: "Port on this machine (127.0.0.1) on which an authority of credits gives small amounts to whoever asks; 0 takes any free one.",
  }),
  logLevel: define({
    name: "log-level",
    kind: choice(LOG_LEVELS),
    defaultText: "info",
    help: "Least important kind of record that is logged.",
  }),
  maxDiskBytes: define({
    name: "max-disk",
    kind: orWord(size(64 * MIB), "none"),
    defaultText: "none",
    unit: "bytes",
    help: "Most disk space for the data folder. Near it files are given up that enough others have proven to hold; new work is refused beyond it.",
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
    help: "Reverse proxies whose X-Forwarded-For header is believed when the address of a client is determined, by a core node as by a compute node.",
  }),
  rateLimitPerSecond: define({
    name: "rate-limit-per-second",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: String(rate.perSecond),
    unit: "units per second",
    help: "Units that one client address gains per second; a request costs some of them (docs/limits.md tells how many). 0 sets no limit. Clients on the machine itself (loopback) are not limited.",
  }),
  rateLimitBurst: define({
    name: "rate-limit-burst",
    kind: integer({ min: 1, max: 10_000_000 }),
    defaultText: String(rate.burst),
    unit: "units",
    help: "Units that one client address can save up and spend at once.",
  }),
  maxWebsockets: define({
    name: "max-websockets",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: String(websocket.maxMessageConnections),
    unit: "connections",
    help: "Open websockets that carry messages, all clients together; one more is closed with 1013.",
  }),
  maxStatusWebsockets: define({
    name: "max-status-websockets",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: String(websocket.maxStatusConnections),
    unit: "connections",
    help: "Open websockets that carry the status of the node, all clients together; one more is closed with 1013.",
  }),
  maxBodySizeBytes: define({
    name: "max-body-size",
    kind: size(1_024),
    defaultText: sizeText(maxJsonBodyBytes),
    unit: "bytes",
    help: "Largest body of an API request that is no upload, and largest message that comes with an upload.",
  }),
  maxJsonUploadBytes: define({
    name: "max-json-upload",
    kind: size(1_024),
    defaultText: sizeText(uploads.maxJsonBytes),
    unit: "bytes",
    help: "Largest JSON value that add_json takes.",
  }),
  maxUnsignedUploadBytes: define({
    name: "max-unsigned-upload",
    kind: size(1_024),
    defaultText: sizeText(uploads.maxUnauthenticatedFileBytes),
    unit: "bytes",
    help: "Largest file that add_file takes without a signed message.",
  }),
  maxStorageUploadBytes: define({
    name: "max-storage-upload",
    kind: size(1_024),
    defaultText: sizeText(uploads.maxStorageFileBytes),
    unit: "bytes",
    help: "Largest file that storage/add_file takes with its signed message.",
  }),
  maxIpfsUploadBytes: define({
    name: "max-ipfs-upload",
    kind: size(1_024),
    defaultText: sizeText(uploads.maxIpfsFileBytes),
    unit: "bytes",
    help: "Largest file that ipfs/add_file takes with its signed message.",
  }),
  maxCarUploadBytes: define({
    name: "max-car-upload",
    kind: size(1_024),
    defaultText: sizeText(uploads.maxCarBytes),
    unit: "bytes",
    help: "Largest CAR that ipfs/add_car takes.",
  }),
  maxConcurrentUploads: define({
    name: "max-concurrent-uploads",
    kind: integer({ min: 1, max: 100_000 }),
    defaultText: String(uploads.maxConcurrent),
    unit: "uploads",
    help: "File uploads that are received at once, and as many of CARs; one more is told to come back.",
  }),
  maxGracePeriodBytes: define({
    name: "max-grace-period-size",
    kind: orWord(size(0), "none"),
    defaultText: "10GiB",
    unit: "bytes",
    help: "Most bytes of all files together that no message refers to, or no longer does; uploads without a message are refused beyond it.",
  }),
  storageGracePeriodHours: define({
    name: "storage-grace-period-hours",
    kind: orWord(integer({ min: 0, max: 87_600, placeholder: "HOURS" }), "network"),
    defaultText: "network",
    unit: "hours",
    help: "How long a file is kept that no message refers to, or no longer does; as long as the network says, unless a number is given.",
  }),
  ...COMPUTE_OPTIONS,
  ...SCHEDULER_OPTIONS,
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
