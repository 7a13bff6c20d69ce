import { decode, encode } from "@msgpack/msgpack";
import { TransportError } from "../transport/errors.ts";

/** A decoded object of a guest: nothing about its members is known. */
export type PackedObject = Readonly<Record<string, unknown>>;

export function pack(value: unknown): Uint8Array {
  return encode(value);
}

/** @throws TransportError GUEST_PROTOCOL_BROKEN for anything but one map with text keys */
export function unpackObject(bytes: Uint8Array): PackedObject {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw new TransportError("GUEST_PROTOCOL_BROKEN", "the guest's answer is no msgpack", { cause });
  }
  if (isPackedObject(value)) return value;
  throw new TransportError("GUEST_PROTOCOL_BROKEN", "the guest's answer is no map");
}

export function isPackedObject(value: unknown): value is PackedObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
