import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { test } from "node:test";
import { WebSocket } from "ws";
import { DEFAULT_COMPUTE_SETTINGS } from "../../src/compute-settings.ts";
import { tinyDisk } from "../../src/images/build/tiny-guest.ts";
import { buildOptions, IMAGES_FOLDER } from "../images/support.ts";
import { startTestComputeNode } from "../support/test-compute-node.ts";
import { INSTANCE, startTestCoreNode } from "../support/test-core-node.ts";
import { ClientKey, ethWallet, schedulerHeader } from "../support/wallets.ts";

const { identity, allocation } = DEFAULT_COMPUTE_SETTINGS;

test("an instance is published, started by a scheduler, driven by its owner, adopted, and forgotten", {
  timeout: 600_000,
}, async () => {
  const { qcow2Path } = await tinyDisk(IMAGES_FOLDER, buildOptions(AbortSignal.timeout(300_000)));
  await using core = await startTestCoreNode();
  const scheduler = ethWallet("scheduler");
  const owner = ethWallet("compute owner of machines");
  assert.equal(owner.address, core.owner.address);
  await using compute = await startTestComputeNode([core.apiUrl], {
    identity: { ...identity, domainName: "localhost" },
    allocation: { ...allocation, signers: [scheduler.address] },
  });
  const { itemHash: disk } = await core.client.storeFile({
    account: core.owner,
    file: await openAsBlob(qcow2Path),
    sync: true,
  });
  const content = INSTANCE(disk, {
    resources: { vcpus: 1, memory: 256 },
    rootfs: { parent: { ref: disk, use_latest: true }, persistence: "host", size_mib: 256 },
  });
  const { itemHash: vmHash } = await core.client.createInstance({ account: core.owner, content, sync: true });

  const push = async (instances: readonly string[]) => {
    const path = "/control/allocations";
    const body = JSON.stringify({ persistent_vms: [], instances });
    const iat = Math.floor(Date.now() / 1_000);
    const request = { method: "POST", path, body, iat, nonce: String(Math.random()) };
    const authorization = await schedulerHeader(scheduler, request);
    const answer = await fetch(`${compute.node.apiUrl}${path}`, {
      method: "POST",
      body,
      headers: { authorization },
    });
    return { status: answer.status, body: await answer.json() };
  };
  const key = await ClientKey.create(owner, Date.now());
  const operate = async (name: string) => {
    const path = `/control/machine/${vmHash}/${name}`;
    const headers = key.headers({ method: "POST", path, domain: "localhost", nowMs: Date.now() });
    const answer = await fetch(`${compute.node.apiUrl}${path}`, { method: "POST", headers });
    return [answer.status, await answer.text()];
  };
  const listed = async () => {
    const list = await (await fetch(`${compute.node.apiUrl}/v2/about/executions/list`)).json();
    return list[vmHash];
  };

  const pushed = await push([vmHash]);
  assert.deepEqual([pushed.status, pushed.body.errors], [200, {}]);
  const entry = await listed();
  assert.equal(entry.running, true);
  assert.equal(typeof entry.networking.mapped_ports["22"].host, "number");
  const isReady = (boots: number) => readyIn(compute.node.apiUrl, vmHash, key, boots);
  await isReady(1);

  assert.deepEqual(await operate("stop"), [200, `Stopped VM with ref ${vmHash}`]);
  assert.equal((await push([vmHash])).status, 200);
  assert.equal((await listed()).running, false, "what its owner stopped is not started by a list");
  assert.deepEqual(await operate("start"), [200, `Started VM with ref ${vmHash}`]);
  await isReady(2);
  assert.deepEqual(await operate("reboot"), [200, `Rebooted VM with ref ${vmHash}`]);

  await isReady(3);
  const before = await listed();
  await compute.restart();
  const after = await listed();
  assert.equal(after.running, true, "it ran on while the node was away");
  assert.equal(after.status.started_at, before.status.started_at);
  assert.deepEqual(after.networking.mapped_ports, before.networking.mapped_ports);

  await core.client.forget({ account: core.owner, itemHashes: [vmHash], sync: true });
  while ((await listed()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 100));
  const [record] = await (await fetch(`${compute.node.apiUrl}/about/executions/records`)).json();
  assert.deepEqual([record.state, record.reason], ["gone", "MESSAGE_FORGOTTEN"]);
});

/** Follows the log until the guest has said so often that it serves. */
async function readyIn(apiUrl: string, vmHash: string, key: ClientKey, boots: number): Promise<void> {
  const path = `/control/machine/${vmHash}/stream_logs`;
  const socket = new WebSocket(`${apiUrl.replace("http", "ws")}${path}`);
  socket.on("open", () => {
    socket.send(key.authMessage({ method: "GET", path, domain: "localhost", nowMs: Date.now() }));
  });
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data) => {
      const frame = JSON.parse(data.toString());
      if (frame.status === "failed") reject(new Error(frame.reason));
      if (frame.type === "stdout" && frame.message.includes("tiny guest ready")) count += 1;
      if (count === boots) resolve();
    });
  });
  socket.close();
}
