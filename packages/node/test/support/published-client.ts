import { createHash } from "node:crypto";
import { createRequire } from "node:module";

/** The packages are CommonJS first: their module builds name imports that Node does not find. */
const require = createRequire(import.meta.url);

const client: typeof import("@aleph-sdk/client") = require("@aleph-sdk/client");
const message: typeof import("@aleph-sdk/message") = require("@aleph-sdk/message");
const core: typeof import("@aleph-sdk/core") = require("@aleph-sdk/core");
const ethereum: typeof import("@aleph-sdk/ethereum") = require("@aleph-sdk/ethereum");
const solana: typeof import("@aleph-sdk/solana") = require("@aleph-sdk/solana");
const cosmos: typeof import("@aleph-sdk/cosmos") = require("@aleph-sdk/cosmos");
const tezos: typeof import("@aleph-sdk/tezos") = require("@aleph-sdk/tezos");
const nuls2: typeof import("@aleph-sdk/nuls2") = require("@aleph-sdk/nuls2");

export { message as publishedMessages };
export const { Blockchain } = core;

export type PublishedClient = InstanceType<typeof client.AuthenticatedAlephHttpClient>;
export type PublishedAccount = PublishedClient["account"];

export function ethereumAccount(label: string): PublishedAccount {
  return ethereum.importAccountFromPrivateKey(privateKeyHex(label));
}

/** One account of every family that the published packages can sign with. */
export const ACCOUNT_FAMILIES: Readonly<Record<string, () => Promise<PublishedAccount>>> = {
  ETH: async () => ethereumAccount("family"),
  SOL: async () => solana.newAccount().account,
  CSDK: async () => (await cosmos.newAccount()).account,
  TEZOS: async () => withMillisecondSigning(await tezosAccount()),
  NULS2: () => nuls2.importAccountFromPrivateKey(privateKeyHex("family")),
};

/** As published: it takes the seconds of `time` for milliseconds, so that no node accepts what it signs. */
export async function tezosAccount(): Promise<PublishedAccount> {
  return (await tezos.newAccount()).signerAccount;
}

/** The published signer, given the time in the unit that it expects. */
function withMillisecondSigning(account: PublishedAccount): PublishedAccount {
  const sign: PublishedAccount["sign"] = (message) =>
    account.sign({
      sender: message.sender,
      time: Math.round(message.time * 1000),
      getVerificationBuffer: () => message.getVerificationBuffer(),
    });
  return Object.assign(Object.create(account), { sign });
}

/** The published client, unmodified, with everything that it lets a program set pointed at the node. */
export function publishedClient(
  node: { readonly apiUrl: string; readonly wsUrl: string },
  account: PublishedAccount,
): PublishedClient {
  const created = new client.AuthenticatedAlephHttpClient(account, node.apiUrl);
  created.messageClient.wsServer = node.wsUrl;
  return created;
}

/**
 * `getMessageError` of the published client asks the public server whatever it was constructed with. The request
 * is led to the node on its way out; the client stays as it is.
 */
export function redirectPublicServer(apiUrl: string): Disposable {
  const axios: typeof import("axios").default = require("axios");
  const publicServer = core.DEFAULT_API_V2.replace(/\/$/, "");
  const handle = axios.interceptors.request.use((request) => {
    if (request.url?.startsWith(publicServer)) request.url = apiUrl + request.url.slice(publicServer.length);
    return request;
  });
  return { [Symbol.dispose]: () => axios.interceptors.request.eject(handle) };
}

function privateKey(label: string): Buffer {
  return createHash("sha256").update(`published client ${label}`).digest();
}

function privateKeyHex(label: string): string {
  return privateKey(label).toString("hex");
}
