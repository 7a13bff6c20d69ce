import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient, createEvmAccount, type LocalAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";

const ROOT = new URL("../../../../../", import.meta.url);
const COMMAND = fileURLToPath(new URL("packages/cli/bin/twentysix.mjs", ROOT));

/** A core node as a process of its own, as a user starts it, on the network that anyone may make money in. */
export interface CoreNode extends AsyncDisposable {
  readonly apiUrl: string;
  readonly client: Client;
  /** An account with tokens enough for whatever a test stores and runs. */
  readonly account: LocalAccount;
}

export async function startCoreNode(): Promise<CoreNode> {
  const folder = mkdtempSync(join(tmpdir(), "core-"));
  const words = `--data-dir ${folder} --api-port 0 --p2p-port none --roles ccn --log-level warn`.split(" ");
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", COMMAND, "node", ...words],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const closed = once(child, "close");
  let said = "";
  const apiUrl = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const ready = /^ready (\{.*\})$/m.exec(said);
      if (ready?.[1] !== undefined) resolve((JSON.parse(ready[1]) as { readonly api: string }).api);
    });
    closed.then(() => reject(new Error("the core node ended before it was ready")));
  });
  const client = createClient({ apiUrl, createSha256: createNodeSha256 });
  const account = createEvmAccount({ privateKey: Buffer.alloc(32, 26) });
  await giveTokens(client, account.address);
  return {
    apiUrl,
    client,
    account,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As the authority of the local network says it, whose key the network publishes. */
async function giveTokens(client: Client, address: string): Promise<void> {
  const network = JSON.parse(readFileSync(new URL("networks/local.json", ROOT), "utf8")) as {
    readonly authorities: {
      readonly balances: { readonly addresses: readonly string[]; readonly postType: string };
    };
    readonly developmentAccounts: readonly {
      readonly address: string;
      readonly insecurePrivateKey: string;
    }[];
  };
  const { addresses, postType } = network.authorities.balances;
  const authority = network.developmentAccounts.find((account) => account.address === addresses[0]);
  if (authority === undefined) throw new Error("the local network publishes no key of its authority");
  await client.createPost({
    account: createEvmAccount({ privateKey: Buffer.from(authority.insecurePrivateKey, "hex") }),
    type: postType,
    content: { chain: "ETH", main_height: 1, balances: { [address]: 1_000_000_000 } },
    sync: true,
  });
}
