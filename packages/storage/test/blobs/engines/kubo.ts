import { cidOf, RAW, sha256Of } from "../../../src/blobs/cids.ts";
import { createBlobEngine } from "../../../src/blobs/create-engine.ts";
import { FileNamer } from "../../../src/blobs/describe-file.ts";
import { type KuboServer, kuboMissing, startKuboServer } from "../../servers/kubo-server.ts";
import { type EngineTraits, remoteParts } from "./tested-engine.ts";

let started: Promise<KuboServer> | undefined;

export const kuboServer = (): Promise<KuboServer> => {
  started ??= startKuboServer();
  return started;
};

const CHUNK_BYTES = 262_144;

/** One daemon for all tests of a file; each begins without pins and blocks. */
export const kuboDaemon: EngineTraits & AsyncDisposable = {
  name: "Kubo",
  skip: kuboMissing(),
  verifiesReads: true,
  readsOutliveDeletion: true,
  async fresh() {
    const server = await kuboServer();
    for (const cid of await server.pins()) await server.client.pin.rm(cid);
    await server.collect();
    return {
      engine: createBlobEngine(server.settings, remoteParts()),
      held: () => server.pins(),
      async damage(bytes, offsetBytes) {
        const start = Math.floor(offsetBytes / CHUNK_BYTES) * CHUNK_BYTES;
        const chunk = Buffer.from(bytes.subarray(start, start + CHUNK_BYTES));
        const leaf = cidOf(1, RAW, sha256Of(chunk)).toString();
        chunk[offsetBytes - start] = (chunk[offsetBytes - start] ?? 0) ^ 1;
        await server.overwriteBlock(leaf, chunk);
      },
      async lose(bytes) {
        const namer = new FileNamer(["fixedCid"]);
        namer.update(bytes);
        await server.client.pin.rm(namer.finish().fixedCid ?? "");
        await server.collect();
      },
      server: server.process,
    };
  },
  async [Symbol.asyncDispose]() {
    await (await started)?.[Symbol.asyncDispose]();
  },
};
