import {
  floorToAtto,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  PriceDecimal,
} from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";
import type { BalancesEvent, EventPlace, NodeScore, OperationEvent, ScoresEvent } from "./events.ts";

/** How messages become events. Whatever is not as it should be is passed over: anybody can write anything. */
export interface EventReader {
  readonly operationPostType: string;
  /** Whether heights of confirmations order the events; in networks of the canonical order it is time alone. */
  readonly byHeight: boolean;
}

/** The chain whose tokens count for nodes. */
const TOKEN_CHAIN = "ETH";
const MAX_SCORE_NODES = 100_000;

/** null: the message is no operation. */
export function readOperation(message: MessageObject, reader: EventReader): OperationEvent | null {
  const { content = {} } = message;
  const type = memberOf(content, "type");
  const address = memberOf(content, "address");
  const inner = memberOf(content, "content");
  const ref = memberOf(content, "ref");
  const isAmend = type === "amend";
  if (!isAmend && type !== reader.operationPostType) return null;
  if (typeof address !== "string" || !isJsonObject(inner)) return null;
  return {
    ...placeOf(message, content, reader),
    kind: "operation",
    address,
    isAmend,
    ref: typeof ref === "string" ? ref : null,
    content: inner,
  };
}

/** null: the message says nothing of tokens that count for nodes. */
export function readBalances(message: MessageObject, reader: EventReader): BalancesEvent | null {
  const { content = {} } = message;
  const inner = memberOf(content, "content");
  if (!isJsonObject(inner) || memberOf(inner, "chain") !== TOKEN_CHAIN) return null;
  const balances = memberOf(inner, "balances");
  const balancesHeight = wholeNumber(memberOf(inner, "main_height"));
  if (!isJsonObject(balances) || balancesHeight === null) return null;
  const platform = memberOf(inner, "platform");
  return {
    ...placeOf(message, content, reader),
    kind: "balances",
    platform: typeof platform === "string" ? platform : "",
    balancesHeight,
    balances: new Map(
      Object.entries(balances).flatMap(([address, tokens]) => {
        const atto = attoOf(tokens);
        return atto === null ? [] : [[address, atto] as const];
      }),
    ),
  };
}

/** null: the message holds no scores. */
export function readScores(message: MessageObject, reader: EventReader): ScoresEvent | null {
  const { content = {} } = message;
  const inner = memberOf(content, "content");
  const lists = isJsonObject(inner) ? memberOf(inner, "scores") : undefined;
  if (!isJsonObject(lists)) return null;
  const scores = new Map<string, NodeScore>();
  for (const kind of ["ccn", "crn"]) {
    const list = memberOf(lists, kind);
    for (const entry of Array.isArray(list) ? list.slice(0, MAX_SCORE_NODES) : []) {
      const read = isJsonObject(entry) ? scoreOf(entry) : null;
      if (read !== null) scores.set(read.nodeId, read);
    }
  }
  return { ...placeOf(message, content, reader), kind: "scores", scores };
}

function placeOf(message: MessageObject, content: JsonObject, { byHeight }: EventReader): EventPlace {
  const time = memberOf(content, "time");
  const heights = (message.confirmations ?? [])
    .filter(({ chain }) => chain === TOKEN_CHAIN)
    .map(({ height }) => Number(height));
  return {
    itemHash: message.item_hash,
    timeSeconds: typeof time === "number" ? time : message.time,
    height: byHeight && heights.length > 0 ? Math.min(...heights) : null,
  };
}

function scoreOf(entry: JsonObject): (NodeScore & { readonly nodeId: string }) | null {
  const nodeId = memberOf(entry, "node_id");
  const score = memberOf(entry, "total_score");
  if (typeof nodeId !== "string" || typeof score !== "number") return null;
  return {
    nodeId,
    score: share(score),
    performance: share(memberOf(entry, "performance")),
    decentralization: share(memberOf(entry, "decentralization")),
  };
}

const share = (value: JsonValue | undefined): number =>
  typeof value === "number" ? Math.min(1, Math.max(0, value)) : 0;

function wholeNumber(value: JsonValue | undefined): bigint | null {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : null;
}

/** The decimal that was written, not the binary fraction near it. */
function attoOf(tokens: JsonValue): bigint | null {
  if (typeof tokens !== "number" && typeof tokens !== "bigint") return null;
  return tokens < 0 ? null : floorToAtto(new PriceDecimal(String(tokens)));
}
