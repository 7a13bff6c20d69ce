import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadPeerKey, signaturesOf } from "@twentysix/network";
import { createClient, createEvmAccount } from "@twentysix/sdk";
import { createNodeSha256 } from "@twentysix/sdk/node";
import { eventually } from "../support/eventually.ts";
import { startTestNode, type TestNode } from "../support/test-node.ts";

const account = createEvmAccount({ privateKey: createHash("sha256").update("who writes apart").digest() });
const clientOf = ({ apiUrl }: TestNode) => createClient({ apiUrl, createSha256: createNodeSha256 });

async function write(node: TestNode, count: number, what: string): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await clientOf(node).createPost({ account, type: "apart", content: { what, n }, sync: true });
}

async function answerOf<T>({ apiUrl }: TestNode, path: string): Promise<T> {
  return (await (await fetch(`${apiUrl}${path}`)).json()) as T;
}

const rootOf = async (node: TestNode): Promise<string> =>
  (await answerOf<{ readonly root: string }>(node, "/api/v1/state-root")).root;

const syncOf = async (node: TestNode): Promise<string> =>
  (await answerOf<{ readonly sync: { readonly state: string } }>(node, "/api/v0/info/public.json")).sync
    .state;

interface Checkpoint {
  readonly statement: { readonly peer_id: string; readonly root: string; readonly count: number };
  readonly public_key: string;
  readonly signature: string;
}

interface Checkpoints {
  readonly own: Checkpoint | null;
  readonly peers: readonly { readonly verdict: string; readonly checkpoint: Checkpoint }[];
}

/** As somebody would check it to whom it is shown. */
async function isGenuine({ statement, public_key, signature }: Checkpoint): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "twentysix-somebody-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { isSignedBy } = signaturesOf(await loadPeerKey(folder, "ed25519"));
  return await isSignedBy(statement.peer_id, Buffer.from(canonical(statement)), {
    publicKey: Buffer.from(public_key, "base64"),
    signature: Buffer.from(signature, "base64"),
  });
}

/** Keys in their order, nothing between them. */
const canonical = (object: object): string =>
  JSON.stringify(Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))));

describe("a node that comes later", { timeout: 120_000 }, () => {
  test("has what was published before it came, and is ready when it has", async () => {
    const first = await startTestNode({ p2pPort: 0, peers: [] });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => first.remove());
    await write(first, 30, "before");
    // What nobody was there for is not sent again.
    await first.restart();
    assert.equal(await syncOf(first), "ready");

    const second = await startTestNode({ p2pPort: 0, peers: [first.core.peerAddresses()[0] ?? ""] });
    stack.defer(() => second.remove());
    await eventually(async () => (await syncOf(second)) === "ready");
    assert.equal(await rootOf(second), await rootOf(first));
    assert.equal((await fetch(`${second.apiUrl}/health/ready`)).status, 200);
    const metrics = await (await fetch(`${second.apiUrl}/metrics`)).text();
    assert.match(metrics, /^twentysix_sync_taken_messages_total 30$/m);
    assert.match(metrics, /^twentysix_sync_state\{state="ready"\} 1$/m);
    assert.match(metrics, /^twentysix_gossip_frames_total [1-9]\d*$/m);
    assert.match(metrics, /^twentysix_gossip_messages_total\{outcome="refused"\} 0$/m);
    assert.match(metrics, /^twentysix_gossip_units_left [1-9]\d*(\.\d+)?$/m);

    const { peers } = await answerOf<Checkpoints>(second, "/api/v1/checkpoints");
    const { own } = await answerOf<Checkpoints>(first, "/api/v1/checkpoints");
    const [kept] = peers;
    assert.ok(kept !== undefined && own !== null);
    assert.equal(kept.verdict, "same");
    assert.equal(kept.checkpoint.statement.root, await rootOf(first));
    assert.equal(own.statement.peer_id, kept.checkpoint.statement.peer_id);
    assert.ok(await isGenuine(kept.checkpoint));
    const { statement } = kept.checkpoint;
    assert.ok(!(await isGenuine({ ...kept.checkpoint, statement: { ...statement, count: 31 } })));
  });

  test("is not ready as long as nobody of those it was told of answers", async () => {
    const unreachable = "/ip4/127.0.0.1/tcp/9/p2p/12D3KooWGQmdpbHssB1QNXPjw3bnnF3LBCgBSxdwHkb9fGuFyyxH";
    const node = await startTestNode({ p2pPort: 0, peers: [unreachable] });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => node.remove());
    assert.equal(await syncOf(node), "starting");
    const answer = await fetch(`${node.apiUrl}/health/ready`);
    assert.equal(answer.status, 503);
    const { checks } = (await answer.json()) as {
      readonly checks: { readonly sync: { readonly message: string } };
    };
    assert.equal(checks.sync.message, "starting");
  });
});
