import { CHAINS, MESSAGE_TYPES, type MessageType } from "@twentysix/protocol";
import { type MessageFilter, PAYMENT_TYPES, STATUSES } from "@twentysix/storage";
import { itemHashList } from "./item-hash-list.ts";
import { choice, choiceList, decimal, flag, integer, type Parameter, textList } from "./parameter.ts";
import { reversedRange } from "./ranges.ts";
import type { QueryValues } from "./read-query.ts";
import { microsOfSeconds } from "./times.ts";
import type { ValidationProblem } from "./validation-problem.ts";

/** The filters that message lists and message websockets share. Source: pyaleph `src/aleph/schemas/messages_query_params.py`. */
export const MESSAGE_FILTER_PARAMETERS = {
  msgType: choice(["msgType", "message_type"], MESSAGE_TYPES, null),
  msgTypes: choiceList(["msgTypes", "message_types"], MESSAGE_TYPES, null),
  msgStatuses: choiceList(["msgStatuses", "message_statuses"], STATUSES, null),
  addresses: textList(["addresses"]),
  owners: textList(["owners"]),
  refs: textList(["refs"]),
  contentHashes: itemHashList(["contentHashes", "content_hashes"]),
  contentKeys: textList(["contentKeys", "content_keys"]),
  contentTypes: textList(["contentTypes", "content_types"]),
  chains: choiceList(["chains"], CHAINS, null),
  channels: textList(["channels"]),
  tags: textList(["tags"]),
  hashes: itemHashList(["hashes"]),
  paymentTypes: choiceList(["paymentTypes", "payment_types"], PAYMENT_TYPES, null),
  startDate: decimal(["startDate", "start_date"], 0, { minimum: 0 }),
  endDate: decimal(["endDate", "end_date"], 0, { minimum: 0 }),
  startBlock: integer(["startBlock", "start_block"], 0, { minimum: 0 }),
  endBlock: integer(["endBlock", "end_block"], 0, { minimum: 0 }),
  /** Ours: with startBlock, unconfirmed messages stay in unless this says otherwise. */
  confirmed: flagOrAbsent(["confirmed"]),
  excludeContent: flag(["excludeContent", "exclude_content"]),
  contentFormat: choice(["contentFormat", "content_format"], ["full", "headers", "none"], null),
} as const;

export type MessageFilterValues = QueryValues<typeof MESSAGE_FILTER_PARAMETERS>;

/** Problems that only show between parameters. */
export function filterProblems(values: MessageFilterValues): ValidationProblem[] {
  return [
    ...reversedRange(
      { name: "startDate", value: values.startDate },
      { name: "endDate", value: values.endDate },
    ),
    ...reversedRange(
      { name: "startBlock", value: values.startBlock },
      { name: "endBlock", value: values.endBlock },
    ),
  ];
}

export function messageFilter(values: MessageFilterValues): MessageFilter {
  const types = intersection(values.msgType, values.msgTypes);
  const startMicros = microsOfSeconds(values.startDate);
  const endMicros = microsOfSeconds(values.endDate);
  return {
    ...(types === null ? {} : { types }),
    ...(values.msgStatuses === null ? {} : { statuses: values.msgStatuses }),
    ...(values.addresses === null ? {} : { senders: values.addresses }),
    ...(values.owners === null ? {} : { owners: values.owners }),
    ...(values.refs === null ? {} : { refs: values.refs }),
    ...(values.contentHashes === null ? {} : { contentHashes: values.contentHashes }),
    ...(values.contentKeys === null ? {} : { contentKeys: values.contentKeys }),
    ...(values.contentTypes === null ? {} : { contentTypes: values.contentTypes }),
    ...(values.chains === null ? {} : { chains: values.chains }),
    ...(values.channels === null ? {} : { channels: values.channels }),
    ...(values.tags === null ? {} : { tags: values.tags }),
    ...(values.hashes === null ? {} : { itemHashes: values.hashes }),
    ...(values.paymentTypes === null ? {} : { paymentTypes: values.paymentTypes }),
    ...(startMicros === undefined ? {} : { startMicros }),
    ...(endMicros === undefined ? {} : { endMicros }),
    ...(values.startBlock === 0 ? {} : { startBlock: values.startBlock }),
    ...(values.endBlock === 0 ? {} : { endBlock: values.endBlock }),
    ...(values.confirmed === null ? {} : { confirmed: values.confirmed }),
  };
}

/** `contentFormat` wins over the older `excludeContent`. */
export function contentFormat(values: MessageFilterValues): "full" | "headers" | "none" {
  return values.contentFormat ?? (values.excludeContent ? "none" : "full");
}

function intersection(
  type: MessageType | null,
  types: readonly MessageType[] | null,
): readonly MessageType[] | null {
  if (type === null) return types;
  if (types === null) return [type];
  return types.includes(type) ? [type] : [];
}

function flagOrAbsent(names: readonly string[]): Parameter<boolean | null> {
  return { ...flag(names), initial: null };
}
