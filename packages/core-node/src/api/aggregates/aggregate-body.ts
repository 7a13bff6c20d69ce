import { formatIsoOffset } from "@twentysix/protocol";
import { type AggregateEntry, type AggregateOutline, type ItemText, joinTexts } from "@twentysix/storage";

/** One aggregate as it is put into an answer. */
export interface AggregateText extends Omit<AggregateEntry, "key" | "contentJson"> {
  /** A JSON string. */
  readonly key: ItemText;
  readonly content: ItemText;
}

export function textOfEntry({ key, contentJson, ...rest }: AggregateEntry): AggregateText {
  return { ...rest, key: JSON.stringify(key), content: contentJson };
}

export function textOfOutline({ content, ...rest }: AggregateOutline): AggregateText {
  return { ...rest, content: { parts: [content] } };
}

/** The aggregates of an address by key, with what is known of them when it is asked for. */
export function aggregatesBody(
  address: string,
  aggregates: readonly AggregateText[],
  withInfo: boolean,
): ItemText {
  const data = aggregates.map(({ key, content }) => joinTexts(key, ":", content));
  const info = withInfo ? aggregates.map((one) => joinTexts(one.key, `:${infoOf(one)}`)) : [];
  return joinTexts(
    `{"address":${JSON.stringify(address)},"data":{`,
    ...withCommas(data),
    '},"info":{',
    ...withCommas(info),
    "}}",
  );
}

function withCommas(texts: readonly ItemText[]): ItemText[] {
  return texts.flatMap((text, at) => (at === 0 ? [text] : [",", text]));
}

/** `original_item_hash` is the last revision despite its name: clients know it so. */
function infoOf(aggregate: AggregateText): string {
  return JSON.stringify({
    created: formatIsoOffset(aggregate.createdMicros),
    last_updated: formatIsoOffset(aggregate.updatedMicros),
    original_item_hash: aggregate.lastItemHash,
    last_update_item_hash: aggregate.lastItemHash,
    first_item_hash: aggregate.firstItemHash,
  });
}
