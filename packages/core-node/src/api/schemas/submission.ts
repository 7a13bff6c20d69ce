import { Type } from "@sinclair/typebox";
import type { DocumentedAnswer } from "../http/route.ts";
import { ERROR_SCHEMA, PROBLEMS_SCHEMA } from "./errors.ts";
import { nullable } from "./nullable.ts";

const PUBLICATION = Type.Object({ status: Type.String(), failed: Type.Array(Type.String()) });

const MEMBERS = {
  publication_status: PUBLICATION,
  publication_recipients: Type.Integer({ description: "Peers that took the message at once." }),
  message_status: nullable(Type.String()),
  item_hash: Type.Optional(Type.String()),
};

/** The outcome of a submission that was taken. */
export const SUBMISSION = Type.Object(MEMBERS);

const REFUSED_MEMBERS = {
  ...MEMBERS,
  error_code: Type.Optional(Type.Integer({ description: "Of the message error table." })),
  details: Type.Optional(Type.Unknown()),
  why: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.Object({ code: Type.Unknown(), message: Type.String() })),
};
const REFUSED = Type.Object(REFUSED_MEMBERS);

/** What a submission answers beside 200. */
export const SUBMISSION_ANSWERS = {
  202: { description: "Durably queued; the outcome is not known yet.", schema: SUBMISSION },
  410: { description: "The message is forgotten or removed and cannot come back.", schema: REFUSED },
  422: {
    description: "The body does not fit, or the message is rejected.",
    schema: Type.Union([REFUSED, PROBLEMS_SCHEMA]),
  },
  500: {
    description: "The message could not be published.",
    schema: Type.Union([REFUSED, ERROR_SCHEMA]),
  },
} satisfies Record<number, DocumentedAnswer>;

/** What the two older routes answer. */
export const PUBLISHED = PUBLICATION;

/** What they answer beside 200. */
export const PUBSUB_ANSWERS = {
  422: SUBMISSION_ANSWERS[422],
  500: {
    description: "The message could not be published.",
    schema: Type.Union([PUBLISHED, ERROR_SCHEMA]),
  },
} satisfies Record<number, DocumentedAnswer>;

const REFUSED_UPLOAD = Type.Object({
  status: Type.Literal("error"),
  hash: Type.String(),
  ...REFUSED_MEMBERS,
});

/** The answer of an upload; `name` and `size` by the routes of IPFS. */
export const UPLOADED = Type.Object({
  status: Type.Literal("success"),
  hash: Type.String(),
  name: Type.Optional(Type.String()),
  size: Type.Optional(Type.Integer()),
});

/** What an upload with a message answers beside 200. */
export const SIGNED_UPLOAD_ANSWERS: Readonly<Record<number, DocumentedAnswer>> = {
  202: { description: "Kept; the outcome of the message is not known yet.", schema: UPLOADED },
  410: { description: "The message is forgotten or removed and cannot come back.", schema: REFUSED_UPLOAD },
  422: {
    description: "The form does not fit, or the message is rejected.",
    schema: Type.Union([REFUSED_UPLOAD, ERROR_SCHEMA]),
  },
  500: {
    description: "The message could not be published.",
    schema: Type.Union([REFUSED_UPLOAD, ERROR_SCHEMA]),
  },
};
