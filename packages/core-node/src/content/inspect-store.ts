import type { JsonValue } from "@twentysix/protocol";
import type { StoreInspection } from "../api/services.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";

/** The message that comes with an upload: an inline STORE, correctly signed. */
export async function inspectStore(pipeline: Pipeline, messageText: string): Promise<StoreInspection> {
  const copy = await pipeline.inspect(messageText);
  if (copy.kind === "refused") {
    const isSignature = copy.error.name === "INVALID_SIGNATURE";
    return {
      ok: false,
      refusal: isSignature ? "signature" : "malformed",
      reason: reasonOf(copy.error.details),
      details: copy.error.details as JsonValue,
    };
  }
  if (copy.kind === "undecided") {
    const reason =
      "whether the sender's contract accepts the signature is to be asked of its chain: upload the file alone, and submit the message";
    return { ok: false, refusal: "signature", reason, details: null };
  }
  if (copy.kind === "incomplete" || copy.message.content.detail.kind !== "STORE") {
    return { ok: false, refusal: "malformed", reason: "metadata must hold an inline STORE message" };
  }
  const { envelope, content } = copy.message;
  return {
    ok: true,
    store: {
      itemHash: envelope.itemHash,
      fileHash: copy.message.content.detail.fileHash,
      fileItemType: copy.message.content.detail.engine,
      owner: content.owner,
      paymentType: content.paymentType,
      sender: envelope.sender,
      chain: envelope.chain,
      timeMicros: envelope.timeMicros,
      contentText: envelope.itemContent ?? "",
    },
  };
}

function reasonOf(details: unknown): string {
  const errors = typeof details === "object" && details !== null && "errors" in details ? details.errors : [];
  const [first] = Array.isArray(errors) ? errors : [];
  if (typeof first === "string") return first;
  if (typeof first === "object" && first !== null && "msg" in first) return String(first.msg);
  return "the message is malformed";
}
