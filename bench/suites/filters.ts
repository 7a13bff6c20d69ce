import { fileHash, senderAddress } from "../corpus.ts";

export interface ListedFilter {
  readonly name: string;
  readonly path: string;
  readonly query: string;
}

const MESSAGES = "/api/v0/messages.json";
const POSTS = "/api/v1/posts.json";

/** The filter matrix: one filter for each index and each kind of combination that clients use. */
export function filterMatrix(): readonly ListedFilter[] {
  const busy = senderAddress(7);
  const quiet = senderAddress(4_000);
  const rows: readonly (readonly [name: string, path: string, query: string])[] = [
    ["all messages", MESSAGES, ""],
    ["all messages, oldest first", MESSAGES, "sortOrder=1"],
    ["by last confirmation", MESSAGES, "sortBy=tx-time"],
    ["type POST", MESSAGES, "msgTypes=POST"],
    ["type INSTANCE (1 %)", MESSAGES, "msgTypes=INSTANCE"],
    ["busy sender", MESSAGES, `addresses=${busy}`],
    ["quiet sender", MESSAGES, `addresses=${quiet}`],
    ["busy sender, type STORE", MESSAGES, `addresses=${busy}&msgTypes=STORE`],
    ["owner", MESSAGES, `owners=${busy}`],
    ["two senders", MESSAGES, `addresses=${busy},${quiet}`],
    ["channel", MESSAGES, "channels=channel-7"],
    ["channel, type AGGREGATE", MESSAGES, "channels=channel-7&msgTypes=AGGREGATE"],
    ["channel and sender", MESSAGES, `channels=channel-49&addresses=${busy}`],
    ["content type", MESSAGES, "contentTypes=type-3"],
    ["content type of a sender", MESSAGES, `contentTypes=type-8&addresses=${busy}`],
    ["content key", MESSAGES, "contentKeys=key-2"],
    ["tag", MESSAGES, "tags=tag-5"],
    ["tag of a sender", MESSAGES, `tags=tag-5&addresses=${busy}`],
    ["chain ETH", MESSAGES, "chains=ETH"],
    ["file", MESSAGES, `contentHashes=${fileHash(3)}`],
    ["window of a day", MESSAGES, "startDate=1700010000&endDate=1700096400"],
    ["sender in a window", MESSAGES, `addresses=${busy}&startDate=1700010000&endDate=1700020000`],
    ["from a block on", MESSAGES, "startBlock=1"],
    ["all posts", POSTS, ""],
    ["posts of an address", POSTS, `addresses=${busy}`],
    ["posts of a type", POSTS, "types=type-3"],
    ["posts of a type by an address", POSTS, `types=type-8&addresses=${busy}`],
    ["posts with a tag", POSTS, "tags=tag-5"],
    ["posts of a channel", POSTS, "channels=channel-7"],
    ["all aggregates", "/api/v0/aggregates.json", ""],
    ["aggregates of a key", "/api/v0/aggregates.json", "keys=key-2"],
  ];
  return rows.map(([name, path, query]) => ({ name, path, query }));
}
