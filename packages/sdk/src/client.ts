import { createAggregate } from "./aggregates/create-aggregate.ts";
import { fetchAggregate } from "./aggregates/fetch-aggregate.ts";
import { listAggregates } from "./aggregates/list-aggregates.ts";
import { createInstance } from "./compute/create-instance.ts";
import { createProgram } from "./compute/create-program.ts";
import { type Connection, type ConnectionOptions, createConnection } from "./connection.ts";
import { downloadFile } from "./files/download-file.ts";
import { storeFile } from "./files/store-file.ts";
import { uploadFile } from "./files/upload-file.ts";
import { findCreditRequest } from "./ledger/credit-request.ts";
import { getBalance } from "./ledger/get-balance.ts";
import { getPrice } from "./ledger/get-price.ts";
import { iterateEndedCosts } from "./ledger/iterate-ended-costs.ts";
import { listCosts } from "./ledger/list-costs.ts";
import { transferCredits } from "./ledger/transfer-credits.ts";
import { createTransferNonce } from "./ledger/transfer-nonce.ts";
import { createMessage } from "./messages/create-message.ts";
import { forget } from "./messages/forget.ts";
import { getMessage } from "./messages/get-message.ts";
import { getStatus } from "./messages/get-status.ts";
import { iterateMessages } from "./messages/iterate-messages.ts";
import { listMessages } from "./messages/list-messages.ts";
import { submitMessage } from "./messages/submit-message.ts";
import { waitForStatus } from "./messages/wait-for-status.ts";
import { nodeInfo } from "./node/node-info.ts";
import { stateRoot } from "./node/state-root.ts";
import { amendPost } from "./posts/amend-post.ts";
import { createPost } from "./posts/create-post.ts";
import { iteratePosts } from "./posts/iterate-posts.ts";
import { listPosts } from "./posts/list-posts.ts";
import { watchMessages } from "./websocket/watch-messages.ts";

type Bound<Operation> = Operation extends (connection: Connection, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** Every operation of this package, bound to one node. */
export interface Client {
  readonly connection: Connection;
  readonly amendPost: Bound<typeof amendPost>;
  readonly createAggregate: Bound<typeof createAggregate>;
  readonly createInstance: Bound<typeof createInstance>;
  readonly createMessage: Bound<typeof createMessage>;
  readonly createPost: Bound<typeof createPost>;
  readonly createProgram: Bound<typeof createProgram>;
  readonly createTransferNonce: Bound<typeof createTransferNonce>;
  readonly downloadFile: Bound<typeof downloadFile>;
  readonly fetchAggregate: Bound<typeof fetchAggregate>;
  readonly findCreditRequest: Bound<typeof findCreditRequest>;
  readonly forget: Bound<typeof forget>;
  readonly getBalance: Bound<typeof getBalance>;
  readonly getMessage: Bound<typeof getMessage>;
  readonly getPrice: Bound<typeof getPrice>;
  readonly getStatus: Bound<typeof getStatus>;
  readonly iterateEndedCosts: Bound<typeof iterateEndedCosts>;
  readonly iterateMessages: Bound<typeof iterateMessages>;
  readonly iteratePosts: Bound<typeof iteratePosts>;
  readonly listAggregates: Bound<typeof listAggregates>;
  readonly listCosts: Bound<typeof listCosts>;
  readonly listMessages: Bound<typeof listMessages>;
  readonly listPosts: Bound<typeof listPosts>;
  readonly nodeInfo: Bound<typeof nodeInfo>;
  readonly stateRoot: Bound<typeof stateRoot>;
  readonly storeFile: Bound<typeof storeFile>;
  readonly submitMessage: Bound<typeof submitMessage>;
  readonly transferCredits: Bound<typeof transferCredits>;
  readonly uploadFile: Bound<typeof uploadFile>;
  readonly waitForStatus: Bound<typeof waitForStatus>;
  readonly watchMessages: Bound<typeof watchMessages>;
}

/**
 * A client of one node. Each method is an operation that is also exported alone and takes the connection as its
 * first argument; bundlers then leave out what an application does not use.
 *
 * Error: SDK_INVALID_INPUT.
 *
 * @example
 * const client = createClient({ apiUrl: "http://127.0.0.1:4024" });
 * const account = createEvmAccount({ privateKey });
 * const { itemHash } = await client.createPost({ account, type: "note", content: { body: "hi" }, sync: true });
 * for await (const post of client.iteratePosts({ owners: [account.address] })) show(post.content);
 */
export function createClient(options: ConnectionOptions): Client {
  const connection = createConnection(options);
  return {
    connection,
    amendPost: (parameters) => amendPost(connection, parameters),
    createAggregate: (parameters) => createAggregate(connection, parameters),
    createInstance: (parameters) => createInstance(connection, parameters),
    createMessage: (parameters) => createMessage(connection, parameters),
    createPost: (parameters) => createPost(connection, parameters),
    createProgram: (parameters) => createProgram(connection, parameters),
    createTransferNonce: (account) => createTransferNonce(connection, account),
    downloadFile: (parameters) => downloadFile(connection, parameters),
    fetchAggregate: (parameters) => fetchAggregate(connection, parameters),
    findCreditRequest: (parameters) => findCreditRequest(connection, parameters),
    forget: (parameters) => forget(connection, parameters),
    getBalance: (parameters) => getBalance(connection, parameters),
    getMessage: (parameters) => getMessage(connection, parameters),
    getPrice: (parameters) => getPrice(connection, parameters),
    getStatus: (parameters) => getStatus(connection, parameters),
    iterateEndedCosts: (parameters) => iterateEndedCosts(connection, parameters),
    iterateMessages: (parameters) => iterateMessages(connection, parameters),
    iteratePosts: (parameters) => iteratePosts(connection, parameters),
    listAggregates: (parameters) => listAggregates(connection, parameters),
    listCosts: (parameters) => listCosts(connection, parameters),
    listMessages: (parameters) => listMessages(connection, parameters),
    listPosts: (parameters) => listPosts(connection, parameters),
    nodeInfo: (parameters) => nodeInfo(connection, parameters),
    stateRoot: (parameters) => stateRoot(connection, parameters),
    storeFile: (parameters) => storeFile(connection, parameters),
    submitMessage: (parameters) => submitMessage(connection, parameters),
    transferCredits: (parameters) => transferCredits(connection, parameters),
    uploadFile: (parameters) => uploadFile(connection, parameters),
    waitForStatus: (parameters) => waitForStatus(connection, parameters),
    watchMessages: (parameters) => watchMessages(connection, parameters),
  };
}
