import { MAX_QUEUED_PER_SENDER, REQUEST_COSTS } from "@twentysix/core-node";
import { type ApiSettings, DEFAULT_API_SETTINGS } from "@twentysix/core-node/settings";
import { flagOf, OPTIONS, type OptionKey } from "../config/index.ts";

type Group = "uploads" | "rate" | "websocket" | "lists" | "events";
type InGroup<Name extends Group> = `${Name}.${keyof ApiSettings[Name] & string}`;
/** A limit by its place in the settings of the API. */
export type LimitName =
  | Exclude<keyof ApiSettings, Group | "trustedProxies">
  | InGroup<"uploads">
  | InGroup<"rate">
  | InGroup<"websocket">
  | InGroup<"lists">
  | InGroup<"events">;

/** What happens beyond each limit. */
const BEYOND: Readonly<Record<LimitName, string>> = {
  maxJsonBodyBytes: "413. Bodies of JSON routes (messages, pubsub); uploads have limits of their own",
  maxUrlBytes: "414. Path and query together; ask for fewer values at a time",
  maxHeaderBytes: "431. Request line and headers",
  headersTimeoutMs: "408, the connection is closed",
  bodyTimeoutMs: "408. The whole of a JSON body",
  uploadStallTimeoutMs: "408. An upload may last as long as it moves",
  idleTimeoutMs: "The connection is closed when nothing moves on it",
  keepAliveTimeoutMs: "The connection is closed when no further request comes",
  maxSyncTimeoutMs: "A `sync` submission is answered with the status it has by then",
  "uploads.maxJsonBytes": "413. `add_json` of both engines",
  "uploads.maxStorageFileBytes": "413. `storage/add_file` with its signed message",
  "uploads.maxUnauthenticatedFileBytes": "413. `add_file` without a message",
  "uploads.maxIpfsFileBytes": "413. `ipfs/add_file` with its signed message",
  "uploads.maxCarBytes": "413. `ipfs/add_car`",
  "uploads.maxMetadataBytes": "413. The `metadata` part of a form",
  "uploads.maxConcurrent":
    "503 with `Retry-After`. File uploads received at once; CAR uploads are counted apart",
  "uploads.maxGracePeriodBytes":
    "507 (`API_GRACE_PERIOD_FULL`). All files together that no message refers to, or no longer does; only uploads without a message are refused",
  maxBase64FileBytes: "413. Files served as base64 JSON; `/storage/raw` has no limit",
  gracePeriodMs: "A file that no message has stored by then is given up",
  "rate.perSecond": "429 with `Retry-After`. Units gained each second; 0 switches the limit off",
  "rate.burst": "Units that can be saved up",
  "rate.maxAddresses": "The address seen least recently is forgotten",
  "websocket.maxMessageConnections": "Closed with 1013 after the handshake",
  "websocket.maxStatusConnections": "Closed with 1013 after the handshake",
  "websocket.heartbeatMs": "A ping is sent",
  "websocket.pongTimeoutMs": "A client that does not answer a ping, or does not close when told to, is cut",
  "websocket.maxQueuedBytes": "Closed with 1013: the client reads too slowly",
  "websocket.maxQueuedFrames":
    "Closed with 1013: too much arrived while the history, or a long message, was sent",
  "websocket.maxHeldBytes": "The same in bytes",
  "websocket.statusPeriodMs": "How often the status socket looks for a change",
  "events.maxStreams": "503 with `Retry-After`. Event streams that are open",
  "events.maxStreamsPerAddress":
    "503 with `Retry-After`. Those of one address; an IPv6 client is counted by its /64, the machine itself is not",
  "events.heartbeatMs": "A comment is sent",
  "events.maxQueuedBytes": "The connection is cut: the client reads too slowly",
  "lists.stepItems": "Items of one step in which a long answer is read",
  "lists.stepBytes": "A step ends with the item that passes it",
  "lists.maxCursorPageBytes": "A cursor page ends with the item that passes it",
  "lists.maxStreams":
    "503 with `Retry-After`. Answers that are read while they are sent, or are larger than 1 MiB",
  "lists.maxStreamsPerAddress":
    "503 with `Retry-After`. Those of one address; an IPv6 client is counted by its /64, the machine itself is not",
  "lists.aggregateCacheBytes": "The finished aggregate answer that was used least recently is made again",
  "lists.maxCachedAggregateBytes": "A larger aggregate answer is not kept but read while it is sent",
};

/** The option of the node that sets a limit, for those that have one. */
export const OPTION_OF_LIMIT: Readonly<Partial<Record<LimitName, OptionKey>>> = {
  maxJsonBodyBytes: "maxBodySizeBytes",
  gracePeriodMs: "storageGracePeriodHours",
  "uploads.maxJsonBytes": "maxJsonUploadBytes",
  "uploads.maxStorageFileBytes": "maxStorageUploadBytes",
  "uploads.maxUnauthenticatedFileBytes": "maxUnsignedUploadBytes",
  "uploads.maxIpfsFileBytes": "maxIpfsUploadBytes",
  "uploads.maxCarBytes": "maxCarUploadBytes",
  "uploads.maxMetadataBytes": "maxBodySizeBytes",
  "uploads.maxConcurrent": "maxConcurrentUploads",
  "uploads.maxGracePeriodBytes": "maxGracePeriodBytes",
  "rate.perSecond": "rateLimitPerSecond",
  "rate.burst": "rateLimitBurst",
  "websocket.maxMessageConnections": "maxWebsockets",
  "websocket.maxStatusConnections": "maxStatusWebsockets",
};

/** A limit out of settings; undefined where the network decides. */
export function limitOf(settings: Omit<ApiSettings, "gracePeriodMs">, name: LimitName): unknown {
  let value: unknown = settings;
  for (const step of name.split(".")) value = (value as Readonly<Record<string, unknown>>)[step];
  return value;
}

/** The text of docs/limits.md, made from the default settings of the API. */
export function renderLimitsDocument(): string {
  return `${[
    INTRODUCTION,
    "## Requests",
    table((name) => !name.includes(".") && !DOWNLOADS.includes(name)),
    "A client that is answered before it has sent its whole body may go on sending for five seconds; the bytes are thrown away, so that it can read the answer.",
    "## Uploads and downloads",
    table((name) => name.startsWith("uploads.") || DOWNLOADS.includes(name)),
    UPLOADS,
    "## Rate",
    RATE,
    table((name) => name.startsWith("rate.")),
    costs(),
    "## Websockets",
    table((name) => name.startsWith("websocket.")),
    SOCKETS,
    "## Event streams",
    table((name) => name.startsWith("events.")),
    EVENTS,
    "## Lists",
    LISTS,
    table((name) => name.startsWith("lists.")),
    LONG_TEXTS,
    REST,
  ].join("\n\n")}\n`;
}

const DOWNLOADS: readonly string[] = ["maxBase64FileBytes", "gracePeriodMs"];

function table(isIn: (name: string) => boolean): string {
  const rows = Object.entries(BEYOND)
    .filter(([name]) => isIn(name))
    .map(([name, beyond]) => {
      const limit = limitOf(DEFAULT_API_SETTINGS, name as LimitName) ?? "the network's";
      const option = OPTION_OF_LIMIT[name as LimitName];
      const flag = option === undefined ? "" : `\`${flagOf(OPTIONS[option])}\``;
      return `| \`${name}\` | ${limit} | ${flag} | ${beyond} |`;
    });
  return ["| Setting | Default | Option | What happens beyond it |", "|---|---|---|---|", ...rows].join("\n");
}

function costs(): string {
  const rows = Object.entries(REQUEST_COSTS).map(([name, units]) => {
    return `| ${name} | ${units} | ${ROUTES_OF_CLASS[name as keyof typeof REQUEST_COSTS]} |`;
  });
  return ["| Class | Units | Routes |", "|---|---|---|", ...rows].join("\n");
}

const ROUTES_OF_CLASS: Readonly<Record<keyof typeof REQUEST_COSTS, string>> = {
  free: "health, version, public information, pages",
  point: "one message, one aggregate address, metadata, figures",
  list: "lists, downloads, message websockets",
  write: "submissions",
  upload: "uploads",
};

const INTRODUCTION = `# Limits of the API

<!-- Made from packages/core-node/src/api/settings.ts by \`npm run docs\`. -->

Everything that a client can make the node hold, wait for or send has a bound. Times are in milliseconds and sizes in bytes. The defaults below are those of a node that is started without options; what an option takes is told in [configuration.md](configuration.md).`;

const UPLOADS = `JSON values above 64 KiB are sorted one at a time in a thread of at most 384 MiB; a body with too many values for it is 413, eight may wait, more are told to come back (503).

Files are streamed to disk while they are hashed and are never held in memory. An upload that fails or is broken off leaves nothing.

Files that no message refers to are counted together where they are recorded, over restarts. A file that is here already takes no more room, nor does one that comes with its message. What a message stores leaves the count; what is forgotten enters it. The metric \`twentysix_grace_period_used_bytes\` tells how much there is; \`--max-grace-period-size\` sets the bound.

A file that came with its signed message is kept for ten minutes at least. 128 times of grace are ended at once, the bytes of 64 files are removed at once, and records and disk are compared 64 names at a time ([decision 9](decisions/0009-collection.md)).`;

const RATE =
  "Each address has a budget of units that refills with time. An IPv6 client is counted by its /64. Requests from the machine itself are not limited; when a reverse proxy runs there, name it in `trustedProxies` so that `X-Forwarded-For` is believed and its clients are limited one by one.";

const SOCKETS = `A message with a content above 256 KiB is sent as one text frame in several fragments, each read when the one before has left. What was processed is read for the sockets in parts of at most 200 messages and 1 MiB.`;

const EVENTS = `Accounts that are listened to are looked at together, at most once a second and only after a commit that changed them, and when their runway comes to a threshold; however many streams follow one account, it is looked at once.`;

const LISTS = `A page holds as many items as \`pagination\` asks for; \`pagination=0\` asks for all. Pages are bounded in memory, not in size: what does not fit into one step is read while it is sent, at the speed of the client. Cursor pages hold at most 200 items, and fewer when those are large; \`pagination_per_page\` stays what was asked, and \`next_cursor\` alone says whether there is more. Totals that would need a long count are lower bounds and marked with \`X-Total-Approximate: true\`.`;

const LONG_TEXTS = `Texts above 256 KiB (contents, values of aggregates, and names of any kind) are never held whole on the way out: they leave the reader in pieces of 256 KiB. A text that changes or is forgotten between two pieces ends the answer: 503 before it has begun, a cut connection afterwards. Aggregates of an address up to 256 KiB and 500 fields are put together at once, larger ones by the reader; one whose field has a name above 16 MiB is 422 (\`API_ANSWER_TOO_LARGE\`).

Lists of authorizations show entries up to 64 KiB, the first 100000 of a list, and 256 KiB of them for one address; a page above 8 MiB is 422 (\`API_ANSWER_TOO_LARGE\`): ask for fewer with \`pagination\`.

Lists are read by one thread of at most 192 MiB. A read has 10 seconds, waiting included, and 256 may wait; one more is 503 with \`Retry-After\`. So is a read whose thread is lost. The thread is replaced at once, and when the next one is lost within a minute as well, after a pause that doubles from 200 ms to 5 s.`;

const REST = `## Messages on their way

A batch of the writer takes copies until their contents pass 16 MiB, each field, target and reference counting for 200 bytes more, or until the stored texts by which they are judged pass 32 Mi characters; at least one, and the others follow in the next batch, in their order. Copies that are tried again are taken up under the same bounds.

What arrives is taken up in the order of its reception, whatever time it claims. Of what is due to be tried again each sender has one copy after the other when not all of it fits into a batch. A sender has ${MAX_QUEUED_PER_SENDER} copies in the queue, those left out that an import or a chain brought; of more he gives up the one that was tried most often. It is told as rejected for what it lacks, and is still applied when that arrives.

The number and the size of the elements of an aggregate have no bound of their own: the state is what all elements together give, so a node that left some out would have another state than its network.

## Copies of one message

What anyone can send again and again under one item hash is bounded. None of these bounds changes the status of the message.

| What | At most | Beyond it |
|---|---|---|
| valid copies of an accepted message | 8 | those that rank last go |
| copies that wait or were given up | 16 | the sender with the most copies gives one up |
| refused copies (malformed, wrongly signed) | 4, the first 65536 characters of each | the first, which the API shows, and the newest stay |
| events of failed attempts (\`retry\`, \`rejected\`) | 32 | the oldest go |

A refused copy that is sent again is told of in the event log once.

## Disk and memory

With \`--max-disk\` used up, or less than 64 MiB free on the disk, submissions and uploads are refused with 507 (\`API_STORAGE_FULL\`); reads go on, and what is queued is finished. Bytes that are being received count as used. With \`--max-memory\` used up they are refused with 503 (\`API_OVERLOADED\`) and \`Retry-After\`. When there is room again, work is taken again without a restart. While either holds, \`/health/ready\` is 503 and says which.

Before that, from 80 % of \`--max-disk\` on, a node gives up the oldest files that enough others have proven to hold, until 70 % are used, and gets them from those when they are asked for ([decision 21](decisions/0021-shards.md)).

## Keeping files among nodes

| What | At most | Beyond it |
|---|---|---|
| challenges of one node | 16 a second; 1 where everyone keeps everything and there is room | the next turn |
| an answer to a challenge | 30 s, 64 blocks of 2 MiB | it counts for nothing. After 64 blocks, or with the first that makes it 4 MiB, an honest answer ends, however deep the DAG goes on |
| challenges that are answered | 16 a second of one peer after 64 at once, 64 a second of all after 256; one file is indexed at a time | they wait |
| challenges of a peer that does not answer | again after 30 s, doubled up to 10 min | after three, and an outage, it is counted on for nothing until it answers |
| shards of a file | 64 | the definition of the network is refused |
| peers that shards of one file are got from at once | 4 | one after the other |
| attempts to get what this node should keep | after 2 s, doubled up to 10 min | at once when a node comes or goes |
| faults of peers that are kept | 10000, with 64 MiB of evidence | the oldest go |

## Messages

What a message may hold is a limit of the network, not of the node: see \`limits\` in [networks](../networks/). What a submit endpoint refuses beyond that is told in [api.md](api.md#submitting).`;
