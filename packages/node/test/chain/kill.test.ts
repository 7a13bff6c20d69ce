import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { SYNC_EVENT_TOPIC } from "@twentysix/contracts";
import { deployOnAnvil, startAnvil } from "@twentysix/contracts/anvil";
import { createSystemTimers } from "@twentysix/platform";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { eventually } from "../support/eventually.ts";
import { writeNetwork } from "../support/network-file.ts";
import { startNode, verify } from "../support/node-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const EMITTER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

type Hook = (method: string) => "pass" | "stop-before" | "stop-after";

/** Stands between a node and its chain. Where it stops there is no answer any more, and `onStop` is told. */
async function proxy(context: TestContext, target: string, hook: Hook, onStop: () => void): Promise<string> {
  const pass = async (body: string): Promise<string> => {
    const headers = { "content-type": "application/json" };
    return await (await fetch(target, { method: "POST", headers, body })).text();
  };
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const verdict = hook((JSON.parse(body) as { method: string }).method);
    const answer = verdict === "stop-before" ? "" : await pass(body);
    if (verdict === "pass") response.end(answer);
    else onStop();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a packer that is killed at any moment of sending anchors a message once", {
  timeout: 120_000,
}, async (context) => {
  const timers = createSystemTimers();
  await using anvil = await startAnvil({ timers });
  const contract = await deployOnAnvil(anvil, timers);
  using folder = temporaryFolder("packer-kill");
  const sync = {
    contract,
    startHeight: 0,
    reader: "rpc",
    events: ["sync", "message"],
    authorisedEmitters: [EMITTER],
    remark: null,
    finalityDepth: 0,
  } as const;
  const chain = {
    chain: "ETH",
    chainId: 31_337,
    sync,
    tokenContract: null,
    stream: null,
    creditContract: null,
  } as const;
  const network = writeNetwork(folder.path, "local", { chains: [chain] });
  const keyFile = join(folder.path, "key");
  writeFileSync(keyFile, KEY, { mode: 0o600 });
  const dataDir = join(folder.path, "data");
  const account = createEvmAccount({ privateKey: Buffer.alloc(32, 7) });

  let itemHash = "";
  {
    await using node = await startNode(dataDir, { flags: ["--network", network] });
    const client = createClient({ apiUrl: node.apiUrl });
    itemHash = (await client.createPost({ account, type: "anchored", content: {}, sync: true })).itemHash;
  }
  const moments: readonly (readonly [method: string, verdict: ReturnType<Hook>])[] = [
    ["eth_estimateGas", "stop-before"],
    ["eth_sendRawTransaction", "stop-before"],
    ["eth_sendRawTransaction", "stop-after"],
  ];
  for (const [method, verdict] of moments) {
    const stopped = Promise.withResolvers<void>();
    const hook: Hook = (asked) => (asked === method ? verdict : "pass");
    const url = await proxy(context, anvil.rpcUrl, hook, stopped.resolve);
    const flags = ["--network", network, "--rpc", `ETH=${url}`, "--chain-key-file", keyFile];
    const node = await startNode(dataDir, { flags });
    await stopped.promise;
    await node.kill();
  }
  const flags = ["--network", network, "--rpc", `ETH=${anvil.rpcUrl}`, "--chain-key-file", keyFile];
  {
    await using node = await startNode(dataDir, { flags });
    const confirmations = async (): Promise<readonly unknown[]> => {
      const answer = await fetch(`${node.apiUrl}/api/v0/messages/${itemHash}`);
      return ((await answer.json()) as { message: { confirmations: unknown[] } }).message.confirmations;
    };
    await eventually(async () => (await confirmations()).length > 0);
    assert.equal((await confirmations()).length, 1);
    await node.stop();
  }
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "eth_getLogs",
    params: [{ address: contract, topics: [SYNC_EVENT_TOPIC], fromBlock: "0x0" }],
  });
  const headers = { "content-type": "application/json" };
  const logs = (await (await fetch(anvil.rpcUrl, { method: "POST", headers, body })).json()) as {
    result: unknown[];
  };
  assert.equal(logs.result.length, 1, "one archive, paid once");
  assert.deepEqual((await verify(dataDir, ["--network", network])).problems, []);
});
