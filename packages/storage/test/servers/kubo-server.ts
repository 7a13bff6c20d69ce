import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, type KuboRPCClient } from "kubo-rpc-client";
import { base32upper } from "multiformats/bases/base32";
import { CID } from "multiformats/cid";
import type { BlobEngineSettings } from "../../src/settings.ts";
import { freePort, ServerProcess } from "./server-process.ts";

const run = promisify(execFile);

/** A reason not to run the tests that need it; false when they can. */
export const kuboMissing = (): string | false =>
  process.env.TWENTYSIX_TEST_KUBO === undefined && "TWENTYSIX_TEST_KUBO names no Kubo";

/** A Kubo daemon with a repository of its own that meets nobody. */
export interface KuboServer extends AsyncDisposable {
  readonly settings: Extract<BlobEngineSettings, { kind: "kubo" }>;
  /** As a user would write it. */
  readonly url: string;
  readonly process: ServerProcess;
  readonly client: KuboRPCClient;
  /** CIDs of all recursive pins, in order. */
  pins(): Promise<string[]>;
  /** Runs the collection and waits for its end. */
  collect(): Promise<void>;
  /** Puts other bytes into the file of a block behind everyone's back. */
  overwriteBlock(cid: string, bytes: Uint8Array): Promise<void>;
  /** Removes the file of a block behind everyone's back. */
  loseBlock(cid: string): Promise<void>;
}

export async function startKuboServer(): Promise<KuboServer> {
  const program = process.env.TWENTYSIX_TEST_KUBO ?? "";
  const folder = await mkdtemp(join(tmpdir(), "twentysix-kubo-"));
  const environment = { IPFS_PATH: folder, IPFS_TELEMETRY: "off", HOME: folder };
  const ipfs = (...args: string[]) => run(program, args, { env: { ...environment, PATH: process.env.PATH } });
  await ipfs("init", "--empty-repo", "--profile=test");
  const port = await freePort();
  await ipfs("config", "Addresses.API", `/ip4/127.0.0.1/tcp/${port}`);
  await ipfs("config", "--json", "Addresses.Swarm", "[]");
  await ipfs("config", "Routing.Type", "none");
  const url = `http://127.0.0.1:${port}`;
  const server = new ServerProcess({
    program,
    args: ["daemon"],
    environment,
    isReady: async () => (await fetch(`${url}/api/v0/version`, { method: "POST" })).ok,
  });
  await server.start();
  const client = create({ url });
  // An empty directory is pinned by every new repository.
  for await (const { cid } of client.pin.ls({ type: "recursive" })) await client.pin.rm(cid);
  return {
    settings: { kind: "kubo", url },
    url: `kubo://127.0.0.1:${port}`,
    process: server,
    client,
    async pins() {
      const pins = await Array.fromAsync(client.pin.ls({ type: "recursive" }));
      return pins.map(({ cid }) => cid.toString()).sort();
    },
    async collect() {
      for await (const _removed of client.repo.gc());
    },
    overwriteBlock: async (cid, bytes) => writeFile(await blockFile(folder, cid), bytes),
    loseBlock: async (cid) => rm(await blockFile(folder, cid)),
    async [Symbol.asyncDispose]() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where `flatfs` keeps a block: by its multihash, under the two letters before the last. */
async function blockFile(folder: string, cid: string): Promise<string> {
  const key = base32upper.encode(CID.parse(cid).multihash.bytes).slice(1);
  const shard = key.slice(-3, -1);
  const blocks = join(folder, "blocks", shard);
  const name = (await readdir(blocks)).find((file) => file === `${key}.data`);
  if (name === undefined) throw new Error(`Kubo keeps no block ${cid}`);
  return join(blocks, name);
}
