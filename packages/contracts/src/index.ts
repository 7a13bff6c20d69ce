export {
  encodeDeployment,
  encodeEmit,
  encodeMessage,
  MESSAGE_EVENT_TOPIC,
  type MessageSyncEvent,
  readMessageSyncLog,
  SYNC_EVENT_TOPIC,
} from "./message-sync.ts";
export { MESSAGE_SYNC_ABI, MESSAGE_SYNC_BYTECODE } from "./message-sync-artefact.ts";
export { encodeSignatureCheck, readSignatureCheck, type SignatureQuestion } from "./signature-check.ts";
