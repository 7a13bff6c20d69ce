/** The public surface of the protocol: what a message is, and how it is read, checked and written. */
export { CHAIN_FAMILIES, CHAINS, type Chain, isChain, type SignatureFamily } from "./chains.ts";
export {
  type Envelope,
  ITEM_TYPES,
  type ItemType,
  MESSAGE_TYPES,
  type MessageType,
  type SignedFields,
} from "./envelope.ts";
export {
  ERROR_TABLE,
  type ErrorDefinition,
  type ErrorDetails,
  type ErrorName,
  type ForgetTarget,
  type FormatProblem,
  type VolumeTooSmall,
} from "./errors/error-table.ts";
export {
  errorOfCode,
  invalidFormat,
  isRetryable,
  type MessageError,
  messageError,
} from "./errors/message-error.ts";
export { decodeLowerHex, encodeHex } from "./hash/hex.ts";
export {
  type ItemHashSwitches,
  isItemHash,
  itemTypeOfHash,
  looseItemTypeOfHash,
  type StoredItemType,
} from "./hash/item-hash.ts";
export { decodeItemHash, encodeItemHash } from "./hash/item-hash-bytes.ts";
export { type Sha256, sha256Hex, sha256OfText } from "./hash/sha256-hash.ts";
export { type CanonicaliseResult, canonicaliseJsonText } from "./json/canonicalise-json.ts";
export { compareCodePoints } from "./json/code-point-order.ts";
export {
  isFloatMember,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  memberOf,
  setMember,
} from "./json/json-value.ts";
export { type JsonParseResult, parseJson } from "./json/parse-json.ts";
export { sliceElements, sliceMember, sliceMembers, type TextRange } from "./json/slice-json.ts";
export { stringifyCanonicalJson, stringifyJson } from "./json/stringify-json.ts";
export { decodeUtf8, encodeUtf8 } from "./json/utf8.ts";
