import { join } from "node:path";
import { test } from "node:test";
import { createSystemTimers, type Random } from "@twentysix/platform";
import { ContentStore } from "@twentysix/storage";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { assertAnswer, fuzz } from "./fuzz-node.ts";
import { ACCOUNTS, MessageMaker, sha256Hex } from "./message-maker.ts";
import { mutateBytes, mutateJson, mutateText, pickOf } from "./mutate.ts";

const NO_TIME_LIMIT = { timeout: Number.POSITIVE_INFINITY };
const FILE_ROUTES = ["/api/v0/storage/add_file", "/api/v0/ipfs/add_file", "/api/v0/ipfs/add_car"];
const JSON_ROUTES = ["/api/v0/storage/add_json", "/api/v0/ipfs/add_json"];

/** CAR files of a small file, a large one and a directory. */
async function sampleCars(): Promise<Uint8Array[]> {
  using folder = temporaryFolder("cars");
  await using store = await ContentStore.open({
    folder: join(folder.path, "contents"),
    timers: createSystemTimers(),
  });
  const small = await store.addFile([Buffer.from("a small file")], ["cidV0"]);
  const large = await store.addFile([Buffer.alloc(600_000, "large")], ["cidV0"]);
  const entry = (path: string) => ({ path, content: [Buffer.from(path)] });
  const directory = await store.addDirectory([entry("index.html"), entry("a/b/c.txt")], 1);
  const roots = [small, large].map(({ dags }) => dags.get("cidV0")?.root ?? "");
  const cars: Uint8Array[] = [];
  for (const root of [...roots, directory.record.root]) {
    const pieces: Uint8Array[] = [];
    for await (const piece of store.exportCar(root)) pieces.push(Uint8Array.from(piece));
    cars.push(Buffer.concat(pieces));
  }
  return cars;
}

/** A form as bytes, so that its own syntax can be damaged too. */
function formOf(
  random: Random,
  file: Uint8Array,
  metadata: string | null,
): { type: string; body: Uint8Array<ArrayBuffer> } {
  const boundary = pickOf(random, ["----form", "x", "a".repeat(69)]);
  const part = (name: string, extra: string, bytes: Uint8Array): Uint8Array[] => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ];
  const parts = [part("file", pickOf(random, ['; filename="f"', "", '; filename="\u0000ä"']), file)];
  if (metadata !== null) parts.push(part("metadata", "", Buffer.from(metadata)));
  if (random.uniform(2) === 0) parts.reverse();
  if (random.uniform(10) === 0) parts.push(part(pickOf(random, ["file", "metadata", "other", ""]), "", file));
  const end = Buffer.from(`--${boundary}--\r\n`);
  const body = new Uint8Array(Buffer.concat([...parts.flat(), end]));
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/** A signed STORE of the file, or something like one. */
function metadataOf(random: Random, file: Uint8Array): string {
  const account = pickOf(random, ACCOUNTS);
  const time = 1_700_000_000 + random.uniform(1_000);
  const named = { address: account.address, time, item_type: "storage", item_hash: sha256Hex(file) };
  const content =
    random.uniform(3) > 0 ? JSON.stringify(named) : mutateJson(random, named, ["ipfs", "storage"]);
  const itemHash = sha256Hex(content);
  const signature = account.sign({ type: "STORE", itemHash, timeMicros: BigInt(time) * 1_000_000n });
  const { chain, address: sender } = account;
  const envelope = { chain, sender, type: "STORE", channel: "FUZZ", time, item_type: "inline" };
  const message = { ...envelope, item_content: content, item_hash: itemHash, signature };
  const metadata = { message, sync: random.uniform(2) === 0 };
  return random.uniform(3) > 0 ? JSON.stringify(metadata) : mutateJson(random, metadata, ["STORE", "inline"]);
}

test("no upload makes the node fail", NO_TIME_LIMIT, () =>
  fuzz("uploads", async ({ node }) => {
    const cars = await sampleCars();
    const maker = new MessageMaker();
    return async (random) => {
      const path = pickOf(random, random.uniform(5) > 0 ? FILE_ROUTES : JSON_ROUTES);
      const request = path.includes("json") ? jsonUpload(random, maker) : fileUpload(random, path, cars);
      const response = await fetch(`${node.apiUrl}${path}`, { method: "POST", ...request });
      const answer = await assertAnswer(response, `POST ${path} of ${request.body.length} bytes`);
      const hash = /"hash": ?"([^"]+)"/.exec(answer)?.[1];
      if (hash === undefined) return;
      const routes = ["storage/raw", "storage", "storage/metadata", "ipfs/tar", "storage/count"];
      const download = `/api/v0/${pickOf(random, routes)}/${hash}`;
      await assertAnswer(await fetch(`${node.apiUrl}${download}`), download);
    };
  }),
);

function jsonUpload(random: Random, maker: MessageMaker): { body: string } {
  const { text } = maker.make(random);
  return { body: random.uniform(3) === 0 ? mutateText(random, text) : text };
}

function fileUpload(
  random: Random,
  path: string,
  cars: readonly Uint8Array[],
): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const file = pickOf(random, [...cars, random.randomBytes(random.uniform(3_000)), Buffer.alloc(0)]);
  const damaged = random.uniform(3) === 0 ? file : mutateBytes(random, file);
  if (path.endsWith("car") && random.uniform(2) === 0) {
    return { headers: { "content-type": "application/vnd.ipld.car" }, body: new Uint8Array(damaged) };
  }
  const { type, body } = formOf(
    random,
    damaged,
    random.uniform(2) === 0 ? metadataOf(random, damaged) : null,
  );
  const headers = {
    "content-type": random.uniform(8) === 0 ? mutateText(random, type).replaceAll(/[^ -~]/g, "?") : type,
  };
  return { headers, body: random.uniform(4) === 0 ? mutateBytes(random, body) : body };
}
