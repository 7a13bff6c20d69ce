import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { walk } from "./support/economy.ts";
import { type RealNode, startRealNode } from "./support/real-node.ts";

type Body = Record<string, unknown>;

async function upload(node: RealNode, bytes: Buffer): Promise<string> {
  const response = await node.post("/api/v0/storage/add_file", new Uint8Array(bytes));
  return ((await response.json()) as { hash: string }).hash;
}

const store = (fileHash: string, ref = ""): string =>
  `"item_type":"storage","item_hash":"${fileHash}"${ref === "" ? "" : `,"ref":"${ref}"`}`;

test("raw download: exact bytes and headers, HEAD, validators, ranges", async (t) => {
  const node = await startRealNode(t);
  const bytes = randomBytes(300_000);
  const hash = await upload(node, bytes);
  const path = `/api/v0/storage/raw/${hash}`;

  const get = await node.get(`${path}?find`, {
    headers: { "accept-encoding": "gzip, br", origin: "https://a.example" },
  });
  assert.equal(get.status, 200);
  assert.deepEqual(Buffer.from(await get.arrayBuffer()), bytes);
  const expected = {
    "content-type": "application/octet-stream",
    "content-length": "300000",
    "accept-ranges": "none",
    etag: `"${hash}"`,
    "cache-control": "public, max-age=31536000, immutable",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(get.headers.get(name), value);
  assert.equal(get.headers.get("content-encoding"), null);
  assert.equal(get.headers.get("x-content-type-options"), null);
  assert.equal(get.headers.get("access-control-allow-origin"), "https://a.example");

  const head = await node.get(path, { method: "HEAD" });
  for (const [name, value] of Object.entries(expected)) assert.equal(head.headers.get(name), value);
  assert.equal((await head.arrayBuffer()).byteLength, 0);
  assert.equal((await node.get(path, { headers: { "if-none-match": `"x", W/"${hash}"` } })).status, 304);

  for (const [range, start, end] of [
    ["bytes=0-0", 0, 1],
    ["bytes=100-199", 100, 200],
    ["bytes=299990-", 299_990, 300_000],
    ["bytes=299990-999999", 299_990, 300_000],
    ["bytes=-5", 299_995, 300_000],
  ] as const) {
    const partial = await node.get(path, { headers: { range } });
    assert.equal(partial.status, 206, range);
    assert.equal(partial.headers.get("content-range"), `bytes ${start}-${end - 1}/300000`);
    assert.equal(partial.headers.get("accept-ranges"), "bytes");
    assert.deepEqual(Buffer.from(await partial.arrayBuffer()), bytes.subarray(start, end));
  }
  for (const range of ["bytes=300000-", "bytes=-0"]) {
    const unsatisfiable = await node.get(path, { headers: { range } });
    assert.equal(unsatisfiable.status, 416, range);
    assert.equal(unsatisfiable.headers.get("content-range"), "bytes */300000");
  }
  for (const range of ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-"]) {
    const whole = await node.get(path, { headers: { range } });
    assert.equal(whole.status, 200, range);
    assert.equal((await whole.arrayBuffer()).byteLength, 300_000);
  }
  const otherVersion = await node.get(path, { headers: { range: "bytes=0-1", "if-range": '"other"' } });
  assert.equal(otherVersion.status, 200);
});

test("a download can be named and typed on request, and never as something a browser runs", async (t) => {
  const node = await startRealNode(t);
  const typed = async (bytes: Buffer): Promise<string | null> => {
    const response = await node.get(`/api/v0/storage/raw/${await upload(node, bytes)}?content-type=auto`);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
    assert.equal(response.headers.get("content-security-policy"), "sandbox");
    return response.headers.get("content-type");
  };
  assert.equal(await typed(Buffer.from("\x89PNG\r\n\x1a\nrest", "latin1")), "image/png");
  assert.equal(await typed(Buffer.from("<html><script>alert(1)</script>")), "text/plain; charset=utf-8");
  assert.equal(await typed(Buffer.from([0, 1, 2, 255])), "application/octet-stream");
  assert.equal(await typed(Buffer.from([])), "application/octet-stream");
  const hash = await upload(node, Buffer.from("x"));
  const named = await node.get(`/api/v0/storage/raw/${hash}?filename=${encodeURIComponent('né"\r\nx.txt')}`);
  const disposition = named.headers.get("content-disposition") ?? "";
  assert.match(disposition, /^attachment; filename="n____x\.txt"; filename\*=UTF-8''n%C3%A9%22%0D%0Ax\.txt$/);
});

test("base64 download: lines of 76 characters, whatever the size", async (t) => {
  const node = await startRealNode(t, { settings: { maxBase64FileBytes: 500_000 } });
  for (const size of [0, 1, 56, 57, 58, 57 * 1024, 57 * 1024 + 1, 400_000]) {
    const bytes = randomBytes(size);
    const hash = await upload(node, bytes);
    const body = (await node.json(`/api/v0/storage/${hash}`)) as Record<string, string>;
    assert.deepEqual([body.status, body.hash, body.engine], ["success", hash, "storage"]);
    const content = body.content ?? "";
    const lines = content === "" ? [] : content.slice(0, -1).split("\n");
    assert.ok(
      lines.every((line, at) => line.length === 76 || at === lines.length - 1),
      String(size),
    );
    assert.deepEqual(Buffer.from(content, "base64"), bytes);
  }
  const large = await upload(node, randomBytes(500_001));
  assert.equal((await node.get(`/api/v0/storage/${large}`)).status, 413);
  assert.equal((await node.get(`/api/v0/storage/raw/${large}`)).status, 200);
});

test("hashes that are none are 400, unknown ones and lost files 404", async (t) => {
  const node = await startRealNode(t);
  for (const path of [
    "/api/v0/storage/nope",
    "/api/v0/storage/raw/nope",
    "/api/v0/storage/by-message-hash/nope",
  ]) {
    assert.equal((await node.get(path)).status, 400, path);
  }
  const unknown = "ab".repeat(32);
  for (const route of ["", "raw/", "by-message-hash/", "by-ref/", "by-ref/0xA/", "metadata/"]) {
    assert.equal((await node.get(`/api/v0/storage/${route}${unknown}`)).status, 404, route);
  }
  assert.equal((await node.get("/api/v0/storage/metadata/anything")).status, 404);
  assert.equal((await node.get("/api/v0/storage/by-ref/my-file")).status, 400);
  assert.equal(await node.json("/api/v0/storage/count/anything"), 0);
  // Known to the node, but its bytes are gone.
  await node.services.files.onRegister(
    { hash: unknown, sizeBytes: 5, type: "file", sha256: unknown, cid: null },
    2n ** 60n,
  );
  assert.equal((await node.get(`/api/v0/storage/raw/${unknown}`)).status, 404);
  assert.equal((await node.get(`/api/v0/storage/${unknown}`)).status, 404);
  assert.equal((await node.get(`/api/v0/storage/raw/${unknown}`, { method: "HEAD" })).status, 404);
});

test("a file that is not as long as recorded breaks the connection instead of lying", async (t) => {
  const node = await startRealNode(t);
  const hash = createHash("sha256").update("recorded").digest("hex");
  await node.services.files.onRegister(
    { hash, sizeBytes: 100, type: "file", sha256: hash, cid: null },
    2n ** 60n,
  );
  const path = join(node.services.files.folder, hash);
  await writeFile(path, Buffer.alloc(99));
  await assert.rejects(async () => (await node.get(`/api/v0/storage/raw/${hash}`)).arrayBuffer());
  await writeFile(path, Buffer.alloc(101));
  const tooLong = await node.get(`/api/v0/storage/raw/${hash}`);
  assert.equal(tooLong.status, 500);
  assert.equal(tooLong.headers.get("cache-control"), null);
  assert.equal(tooLong.headers.get("etag"), null);
});

test("a directory is a tar archive of unknown length", async (t) => {
  const node = await startRealNode(t);
  const cid = `Qm${"1".repeat(44)}`;
  await writeFile(join(node.services.files.folder, cid), "archive");
  await node.services.files.onRegister(
    { hash: cid, sizeBytes: 7_000, type: "dir", sha256: null, cid: null },
    2n ** 60n,
  );
  const get = await node.get(`/api/v0/storage/raw/${cid}`);
  assert.equal(get.headers.get("content-type"), "application/x-tar");
  assert.equal(get.headers.get("content-length"), null);
  assert.equal(await get.text(), "archive");
  const head = await node.get(`/api/v0/storage/raw/${cid}`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, null]);
  const metadata = (await node.json(`/api/v0/storage/metadata/${cid}`)) as Body;
  assert.deepEqual([metadata.type, metadata.size], ["dir", 7_000]);
});

test("files by message and by reference, pins, and the files of an address", async (t) => {
  const node = await startRealNode(t);
  const { address } = node.account;
  const first = await upload(node, Buffer.from("first"));
  const second = await upload(node, Buffer.from("second version"));
  const plain = await node.put({ type: "STORE", members: store(first) });
  await node.put({ type: "STORE", members: store(first, "my-file"), time: "1700000001.5" });
  const newest = await node.put({ type: "STORE", members: store(second, "my-file"), time: "1700000002.5" });
  const revision = await node.put({ type: "STORE", members: store(second, plain), time: "1700000003.5" });

  assert.deepEqual(await node.json(`/api/v0/storage/by-message-hash/${plain}`), {
    ref: plain,
    owner: address,
    file_hash: first,
    download_url: `/api/v0/storage/raw/${first}`,
    size: 5,
  });
  const byRef = (await node.json(`/api/v0/storage/by-ref/${address}/my-file`)) as Body;
  assert.deepEqual([byRef.ref, byRef.file_hash], ["my-file", second]);
  for (const path of [`by-ref/${plain}`, `by-ref/0xAnyone/${plain}`]) {
    assert.equal(((await node.json(`/api/v0/storage/${path}`)) as Body).file_hash, second);
  }
  const head = await node.get(`/api/v0/storage/by-ref/${plain}`, { method: "HEAD" });
  assert.match(head.headers.get("content-type") ?? "", /^application\/json/);
  assert.deepEqual(await node.json(`/api/v0/storage/metadata/${first}`), {
    file_hash: first,
    type: "file",
    size: 5,
    download_url: `/api/v0/storage/raw/${first}`,
  });
  assert.equal(await node.json(`/api/v0/storage/count/${second}`), 2);

  const files = `/api/v0/addresses/${address}/files`;
  const page = (await node.json(`${files}?sortOrder=1`)) as Body & { files: Body[] };
  assert.deepEqual(Object.keys(page).sort(), [
    "address",
    "files",
    "pagination_page",
    "pagination_per_page",
    "pagination_total",
    "total_size",
  ]);
  assert.deepEqual([page.total_size, page.pagination_total, page.files.length], [5 + 5 + 14 + 14, 4, 4]);
  assert.deepEqual(Object.keys(page.files[0] ?? {}).sort(), [
    "created",
    "file_hash",
    "item_hash",
    "size",
    "type",
  ]);
  assert.match(String(page.files[0]?.created), /\.\d{6}Z$/);
  const newestFirst = (await node.json(`${files}?pagination=2`)) as { files: Body[] };
  assert.deepEqual(
    newestFirst.files.map(({ item_hash }) => item_hash),
    [revision, newest],
  );
  const cursor = (await node.json(`${files}?cursor=&pagination=3`)) as Body & { files: Body[] };
  assert.deepEqual([typeof cursor.files[0]?.created, cursor.total_size], ["number", 38]);
  const only = (await node.json(`${files}?file_hash=${first}&pagination=0`)) as Body & { files: Body[] };
  assert.deepEqual([only.files.length, only.total_size], [2, 38]);
  for (const query of [
    "?page=9",
    `?file_hash=${"ab".repeat(32)}`,
    `?pagination=0&file_hash=${"ab".repeat(32)}`,
  ]) {
    assert.equal((await node.get(files + query)).status, 404, query);
  }
  assert.equal((await node.get("/api/v0/addresses/0xNobody/files")).status, 404);
  assert.equal((await node.get("/api/v0/addresses/0xNobody/files?cursor=")).status, 404);
  assert.equal((await node.get(`${files}?sort_order=3`)).status, 422);
});

test("files of one moment are listed by their messages, in both directions, by pages and by cursor", async (t) => {
  const node = await startRealNode(t);
  const file = await upload(node, Buffer.from("of one moment"));
  const hashes: string[] = [];
  // Three moments, out of order, with several messages each.
  for (let at = 0; at < 12; at += 1) {
    const time = `1700000${[200, 100, 300][at % 3]}.25`;
    hashes.push(await node.put({ type: "STORE", members: store(file, `name ${at}`), time }));
  }
  const momentOf = new Map(hashes.map((hash, at) => [hash, [200, 100, 300][at % 3] ?? 0]));
  const files = `/api/v0/addresses/${node.account.address}/files`;
  for (const sortOrder of [1, -1]) {
    const expected = hashes.toSorted((a, b) => {
      const distance = (momentOf.get(a) ?? 0) - (momentOf.get(b) ?? 0);
      return distance === 0 ? (a < b ? -1 : 1) : distance * sortOrder;
    });
    const query = `${files}?sort_order=${sortOrder}`;
    const named = async (path: string): Promise<string[]> =>
      ((await node.json(path)) as { files: { item_hash: string }[] }).files.map(
        ({ item_hash: hash }) => hash,
      );
    assert.deepEqual(await named(`${query}&pagination=0`), expected);
    const pages: string[] = [];
    for (const page of [1, 2, 3]) pages.push(...(await named(`${query}&pagination=5&page=${page}`)));
    assert.deepEqual(pages, expected);
    for (const size of [1, 5]) {
      const walked = (await walk(node, query, "files", size)) as { item_hash: string }[];
      assert.deepEqual(
        walked.map(({ item_hash: hash }) => hash),
        expected,
      );
    }
    assert.deepEqual(await named(`${query}&pagination=0&file_hash=${file}`), expected);
  }
});

test("the limits of uploads are told exactly", async (t) => {
  const node = await startRealNode(t);
  assert.deepEqual(await node.json("/api/v0/storage/limits.json"), {
    storage: { max_file_size: 104857600, max_unauthenticated_upload_file_size: 26214400 },
    ipfs: {
      max_upload_file_size: 1073741824,
      max_upload_car_size: 4294967296,
      max_unauthenticated_upload_file_size: 26214400,
    },
  });
});
