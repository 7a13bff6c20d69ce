import {
  contentTimeMicros,
  type Envelope,
  isJsonObject,
  type JsonObject,
  labelOf,
  memberOf,
  ownerOf,
  referencedHashes,
  refOf,
  signatureIdentity,
  sliceMember,
  sliceMembers,
  type TypedContent,
  tagsOf,
} from "@twentysix/protocol";
import type {
  AggregateDetail,
  ContentDetail,
  PreparedContent,
  PreparedMessage,
  VmDetail,
} from "@twentysix/state";

const MIB = 1024n * 1024n;

/** A content that passed its schema, in both of its forms. */
export interface ReadContent {
  readonly text: string;
  readonly value: JsonObject;
  readonly typed: TypedContent;
}

/**
 * Extracts from a valid message what the rules look at.
 *
 * @param contentText the text of a content that is not inline, null for an inline one
 */
export function prepareMessage(
  envelope: Envelope,
  envelopeText: string,
  content: ReadContent,
  contentText: string | null,
): PreparedMessage {
  return {
    envelope,
    envelopeText,
    contentText,
    content: prepareContent(envelope, content),
    signatureId: envelope.signature === null ? "" : signatureIdentity(envelope.chain, envelope.signature),
  };
}

function prepareContent(envelope: Envelope, content: ReadContent): PreparedContent {
  const { value, text, typed } = content;
  const sizeBytes = Buffer.byteLength(text);
  return {
    owner: ownerOf(value) ?? envelope.sender,
    timeMicros: contentTimeMicros(value) ?? envelope.timeMicros,
    label: labelOf(typed.type, value),
    ref: refOf(value),
    paymentType: paymentTypeOf(value),
    tags: tagsOf(typed.type, value),
    size: envelope.itemType === "inline" ? codePoints(text, sizeBytes) : sizeBytes,
    sizeBytes,
    detail: detailOf(typed, value, text),
  };
}

/** Code points of a text whose UTF-8 length is known: ASCII needs no count. */
function codePoints(text: string, sizeBytes: number): number {
  if (sizeBytes === text.length) return sizeBytes;
  let surrogatePairs = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) surrogatePairs += 1;
  }
  return text.length - surrogatePairs;
}

function paymentTypeOf(value: JsonObject): string | null {
  const payment = memberOf(value, "payment");
  const type = isJsonObject(payment) ? memberOf(payment, "type") : null;
  return typeof type === "string" ? type : null;
}

function detailOf(typed: TypedContent, value: JsonObject, text: string): ContentDetail {
  switch (typed.type) {
    case "POST": {
      const isAmend = memberOf(value, "type") === "amend";
      return { kind: "POST", amends: isAmend ? refOf(value) : null };
    }
    case "AGGREGATE":
      return aggregateDetail(labelOf("AGGREGATE", value) ?? "", text);
    case "STORE": {
      const engine = typed.content.item_type === "ipfs" ? "ipfs" : "storage";
      return { kind: "STORE", fileHash: typed.content.item_hash, engine };
    }
    case "FORGET":
      return { kind: "FORGET", hashes: typed.content.hashes, aggregates: typed.content.aggregates };
    default:
      return vmDetail(typed, text);
  }
}

/** The top-level fields of `content.content`, each with its raw text, so that numbers stay as written. */
export function aggregateFields(contentText: string): (readonly [name: string, valueText: string])[] {
  const inner = sliceMember(contentText, "content");
  if (inner === undefined) return [];
  return [...sliceMembers(inner)].map(
    ([name, range]) => [name, inner.slice(range.start, range.end)] as const,
  );
}

function aggregateDetail(key: string, text: string): AggregateDetail {
  return { kind: "AGGREGATE", key, fields: aggregateFields(text) };
}

function vmDetail(
  typed: Extract<TypedContent, { type: "PROGRAM" | "INSTANCE" | "V-PROGRAM" }>,
  text: string,
): VmDetail {
  const references = referencedHashes(typed);
  return {
    kind: typed.type,
    allowAmend: typed.content.allow_amend,
    replaces: typed.content.replaces ?? null,
    references: references.map(({ hash, kind, useLatest }) => ({ hash, kind, useLatest })),
    sizedVolumes: references.flatMap(({ hash, kind, useLatest, copy }) =>
      copy === undefined
        ? []
        : [
            {
              name: copy.volumeName,
              parent: { hash, kind, useLatest },
              sizeBytes: BigInt(copy.sizeMib) * MIB,
            },
          ],
    ),
    triggers: typed.type === "PROGRAM" ? triggersOf(text) : null,
  };
}

function triggersOf(text: string): string | null {
  const on = sliceMember(text, "on");
  const message = on === undefined ? undefined : sliceMember(on, "message");
  return message === undefined || message === "null" || message === "[]" ? null : message;
}
