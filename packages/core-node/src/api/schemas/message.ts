import { Type } from "@sinclair/typebox";
import { nullable } from "./nullable.ts";

// Documentation alone: messages are sent as the texts that the database holds, never through these schemas.

const CONTENT = Type.Record(Type.String(), Type.Unknown());
const UNIX_TIME = Type.Number({ description: "Seconds since 1970." });
const ISO_TIME = Type.String({ format: "date-time" });
const ITEM_HASH = Type.String({ description: "64 hexadecimal digits, or a CID." });

export const CONFIRMATIONS = Type.Array(
  Type.Object({
    chain: Type.String(),
    height: Type.Integer(),
    hash: Type.String(),
    time: UNIX_TIME,
    publisher: nullable(Type.String()),
  }),
);

/** A processed or removing message. */
export const MESSAGE = Type.Object({
  item_hash: ITEM_HASH,
  type: Type.String(),
  chain: Type.String(),
  sender: Type.String(),
  signature: nullable(Type.String()),
  item_type: Type.String(),
  item_content: nullable(Type.String({ description: "The signed text of an inline message." })),
  content: Type.Optional(CONTENT),
  time: UNIX_TIME,
  channel: nullable(Type.String()),
  size: Type.Integer({ description: "Bytes of the content." }),
  confirmations: CONFIRMATIONS,
  confirmed: Type.Boolean(),
  status: Type.Optional(Type.String({ description: "By fields, as the four that follow." })),
  reception_time: Type.Optional(ISO_TIME),
  owner: Type.Optional(Type.String()),
  payment_type: Type.Optional(nullable(Type.String())),
  size_bytes: Type.Optional(Type.Integer()),
});

/** What is left of a forgotten or removed message. */
export const TERMINATED_MESSAGE = Type.Object(
  {
    item_hash: ITEM_HASH,
    sender: nullable(Type.String()),
    chain: nullable(Type.String()),
    signature: nullable(Type.String()),
    type: nullable(Type.String()),
    item_type: nullable(Type.String()),
    time: nullable(UNIX_TIME),
    channel: nullable(Type.String()),
    owner: nullable(Type.String()),
    payment_type: nullable(Type.String()),
    size: nullable(Type.Integer()),
  },
  { description: "Listed by msgStatuses=forgotten and msgStatuses=removed." },
);

/** `/messages/{item_hash}/status` */
export const MESSAGE_STATUS = Type.Object({
  status: Type.String(),
  item_hash: ITEM_HASH,
  reception_time: ISO_TIME,
});

/** `/messages/{item_hash}/events`, oldest first. */
export const MESSAGE_EVENTS = Type.Object({
  item_hash: ITEM_HASH,
  status: Type.String(),
  events: Type.Array(
    Type.Object({
      seq: Type.Integer({ description: "Grows over all messages of this node." }),
      kind: Type.String(),
      at: ISO_TIME,
      cause: nullable(Type.Record(Type.String(), Type.Unknown())),
    }),
  ),
});

const HEAD = { item_hash: ITEM_HASH, reception_time: ISO_TIME };
const REASON = Type.Union([Type.Literal("balance_insufficient"), Type.Literal("credit_insufficient")]);

/** `/messages/{item_hash}`: one shape for each status. */
export const MESSAGE_WITH_STATUS = Type.Union([
  Type.Object({ status: Type.Literal("processed"), ...HEAD, message: MESSAGE }),
  Type.Object({
    status: Type.Literal("pending"),
    ...HEAD,
    messages: Type.Array(CONTENT, { description: "Every copy that waits." }),
  }),
  Type.Object({
    status: Type.Literal("rejected"),
    ...HEAD,
    message: nullable(CONTENT),
    error_code: Type.Integer(),
    details: Type.Unknown(),
  }),
  Type.Object({
    status: Type.Literal("forgotten"),
    ...HEAD,
    message: CONTENT,
    forgotten_by: Type.Array(ITEM_HASH),
  }),
  Type.Object({ status: Type.Literal("removing"), ...HEAD, message: MESSAGE, reason: REASON }),
  Type.Object({
    status: Type.Literal("removed"),
    ...HEAD,
    message: CONTENT,
    reason: REASON,
    removed_at: nullable(UNIX_TIME),
    size: nullable(Type.Integer()),
  }),
]);
