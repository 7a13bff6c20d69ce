import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadNetwork, startNode } from "@twentysix/node";
import { defaultConfig } from "@twentysix/node/config";
import { type Client, createClient, createEvmAccount, type LocalAccount } from "@twentysix/sdk";

export interface TestCoreNode extends AsyncDisposable {
  readonly apiUrl: string;
  readonly client: Client;
  /** Has credits. */
  readonly owner: LocalAccount;
}

/** A whole core node in this process, with an owner who can pay for machines. */
export async function startTestCoreNode(): Promise<TestCoreNode> {
  const folder = mkdtempSync(join(tmpdir(), "twentysix-core-"));
  const node = await startNode(
    defaultConfig(folder, {
      ...{ dataDir: join(folder, "data"), apiHost: "127.0.0.1", apiPort: 0, p2pPort: null },
      ...{ network: "local", logLevel: "error", roles: ["ccn"], maxMemoryBytes: 4 * 1024 ** 3 },
    }),
  );
  const client = createClient({ apiUrl: node.apiUrl });
  const owner = testAccount("owner of machines");
  await giveCredits(client, owner.address);
  return {
    apiUrl: node.apiUrl,
    client,
    owner,
    async [Symbol.asyncDispose]() {
      await node.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function testAccount(label: string): LocalAccount {
  return createEvmAccount({ privateKey: createHash("sha256").update(`compute ${label}`).digest() });
}

/** As the authority of the local network does, whose keys are public. */
async function giveCredits(client: Client, address: string): Promise<void> {
  const { authorities, developmentAccounts } = loadNetwork("local");
  const [authority] = authorities.credits.addresses;
  const found = developmentAccounts.find((account) => account.address === authority);
  if (found === undefined) throw new Error(`the local network publishes no key of ${authority}`);
  const credits = [
    { address, amount: 1_000_000_000, price: "0.00001", tx_hash: "0x1", provider: "test", expiration: null },
  ];
  await client.createPost({
    account: createEvmAccount({ privateKey: Buffer.from(found.insecurePrivateKey, "hex") }),
    type: authorities.credits.distributionPostType,
    channel: "ALEPH_CREDIT",
    content: { distribution: { token: "TEST", chain: "ETH", credits } },
    sync: true,
  });
}

export const PROGRAM = (file: string, more: object = {}) => ({
  type: "vm-function",
  allow_amend: false,
  environment: { internet: true },
  resources: { vcpus: 1, memory: 128, seconds: 30 },
  code: { encoding: "zip", entrypoint: "main:app", ref: file, use_latest: true },
  runtime: { ref: file, use_latest: false, comment: "" },
  volumes: [],
  on: { http: true, persistent: true },
  payment: { chain: "ETH", type: "credit" },
  ...more,
});

export const INSTANCE = (file: string, more: object = {}) => ({
  allow_amend: false,
  environment: { hypervisor: "qemu", internet: true },
  resources: { vcpus: 1, memory: 2_048 },
  rootfs: { parent: { ref: file, use_latest: true }, persistence: "host", size_mib: 20_480 },
  volumes: [],
  payment: { chain: "ETH", type: "credit" },
  ...more,
});
