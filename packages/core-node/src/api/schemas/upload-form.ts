import { type TObject, Type } from "@sinclair/typebox";

/** Bytes in a form or as a whole body: said by the media type alone. Source: OpenAPI 3.1, file uploads. */
export const BYTES = Type.Unknown({ description: "The bytes of the file." });

const METADATA = Type.Object(
  {
    message: Type.Object(
      {},
      { description: "The signed inline STORE message of this file.", additionalProperties: true },
    ),
    sync: Type.Boolean({ description: "Wait for the outcome." }),
  },
  { description: "A part of JSON." },
);

/** The form of an upload, with its signed message or, where that is allowed, without. */
export function formSchema(isMessageRequired: boolean): TObject {
  const metadata = isMessageRequired ? METADATA : Type.Optional(METADATA);
  return Type.Object({ file: BYTES, metadata });
}
