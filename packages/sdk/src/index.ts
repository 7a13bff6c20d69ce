/**
 * The client of the network: build, sign and submit messages, store files, read and watch. Runs in browsers and
 * in Node; what only Node programs need is in the `/node` entry.
 */
export {
  type Account,
  createAvalancheAccount,
  createCosmosAccount,
  createEvmAccount,
  createNuls2Account,
  createNulsAccount,
  createSolanaAccount,
  createSubstrateAccount,
  createTezosAccount,
  type LocalAccount,
} from "@twentysix/protocol";
export { type CreateAggregateParameters, createAggregate } from "./aggregates/create-aggregate.ts";
export { type FetchAggregateParameters, fetchAggregate } from "./aggregates/fetch-aggregate.ts";
export {
  type AggregateObject,
  type ListAggregatesParameters,
  listAggregates,
} from "./aggregates/list-aggregates.ts";
export { type Client, createClient } from "./client.ts";
export { type CreateInstanceParameters, createInstance } from "./compute/create-instance.ts";
export { type CreateProgramParameters, createProgram } from "./compute/create-program.ts";
export { type ExecutionObject, listExecutions } from "./compute/list-executions.ts";
export {
  type CreateMachineKeyParameters,
  createMachineKey,
  type MachineKey,
  type MachineOperation,
  type SignedHeaders,
} from "./compute/machine-key.ts";
export {
  eraseMachine,
  expireMachine,
  type MachineOperationParameters,
  rebootMachine,
  reinstallMachine,
  startMachine,
  stopMachine,
} from "./compute/machine-operations.ts";
export {
  type AllocationOutcome,
  type NotifyAllocationParameters,
  notifyAllocation,
} from "./compute/notify-allocation.ts";
export {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type Fetch,
  type NumberReading,
} from "./connection.ts";
export { isSdkError, SdkError, type SdkErrorCode, type SdkErrorDetails } from "./errors.ts";
export { type DownloadedFile, type DownloadFileParameters, downloadFile } from "./files/download-file.ts";
export { hashFile } from "./files/file-hash.ts";
export type { FileSource } from "./files/file-source.ts";
export type { CreateSha256, Sha256Hasher } from "./files/sha256-hasher.ts";
export { type StoredFile, type StoreFileParameters, storeFile } from "./files/store-file.ts";
export { type UploadedFile, type UploadFileParameters, uploadFile } from "./files/upload-file.ts";
export type { IterateParameters, Page, PageParameters } from "./http/page.ts";
export type { CostFigures, CostLineObject } from "./ledger/cost-object.ts";
export {
  type CreditEntry,
  creditNonceTag,
  type FindCreditRequestParameters,
  findCreditRequest,
} from "./ledger/credit-request.ts";
export {
  type AddressBalance,
  type CreditPart,
  type GetBalanceParameters,
  getBalance,
} from "./ledger/get-balance.ts";
export { type GetPriceParameters, getPrice, type MessagePrice } from "./ledger/get-price.ts";
export {
  type EndedCostObject,
  type IterateEndedCostsParameters,
  iterateEndedCosts,
} from "./ledger/iterate-ended-costs.ts";
export { type CostObject, type ListCostsParameters, listCosts } from "./ledger/list-costs.ts";
export { type TransferCreditsParameters, transferCredits } from "./ledger/transfer-credits.ts";
export { createTransferNonce } from "./ledger/transfer-nonce.ts";
export type { TransferPortion, TransferReceipt } from "./ledger/transfer-receipt.ts";
export {
  type BuildMessageParameters,
  buildMessage,
  type ContentInput,
  INLINE_LIMIT_BYTES,
} from "./messages/build-message.ts";
export { DEFAULT_CHANNEL } from "./messages/channels.ts";
export {
  type CreatedMessage,
  type CreateMessageParameters,
  type CreationParameters,
  createMessage,
} from "./messages/create-message.ts";
export { type ForgetParameters, forget } from "./messages/forget.ts";
export { type GetMessageParameters, getMessage } from "./messages/get-message.ts";
export { getStatus, type StatusView } from "./messages/get-status.ts";
export { type IterateMessagesParameters, iterateMessages } from "./messages/iterate-messages.ts";
export { type ListMessagesParameters, listMessages } from "./messages/list-messages.ts";
export type { MessageFilter, MessageListFormat } from "./messages/message-filter.ts";
export type { Confirmation, MessageObject } from "./messages/message-object.ts";
export { MESSAGE_STATUSES, type MessageStatus, type MessageView } from "./messages/message-view.ts";
export type { SignedMessage } from "./messages/signed-message.ts";
export { type Submission, type SubmitMessageParameters, submitMessage } from "./messages/submit-message.ts";
export {
  type MessageVerification,
  type VerifyMessageParameters,
  verifyMessage,
} from "./messages/verify-message.ts";
export { type WaitForStatusParameters, waitForStatus } from "./messages/wait-for-status.ts";
export { type NodeInfo, nodeInfo } from "./node/node-info.ts";
export { type StateRoot, stateRoot } from "./node/state-root.ts";
export { type AmendPostParameters, amendPost } from "./posts/amend-post.ts";
export { type CreatePostParameters, createPost } from "./posts/create-post.ts";
export { type IteratePostsParameters, iteratePosts } from "./posts/iterate-posts.ts";
export { type ListPostsParameters, listPosts } from "./posts/list-posts.ts";
export type { PostFilter } from "./posts/post-filter.ts";
export type { PostObject } from "./posts/post-object.ts";
export { type Runtime, systemRuntime } from "./runtime.ts";
export { type WatchMessagesParameters, watchMessages } from "./websocket/watch-messages.ts";
export type { WebSocketConstructor, WebSocketLike } from "./websocket/web-socket.ts";
