import assert from "node:assert/strict";
import { test } from "node:test";
import { API_ERRORS, ApiError, errorBody } from "../../src/api/errors.ts";
import { startApi } from "./support/start-api.ts";

type Body = Record<string, unknown>;

test("version, addresses, health and readiness", async (t) => {
  const api = await startApi(t);
  for (const path of ["/version", "/api/v0/version"]) {
    assert.deepEqual(await api.json(path), { version: "0.1.0-test" });
  }
  assert.deepEqual(await api.json("/api/v0/info/public.json"), {
    node_multi_addresses: ["/ip4/127.0.0.1/tcp/4025/p2p/QmNode"],
  });
  assert.deepEqual(await api.json("/health"), { status: "alive" });
  assert.equal((await api.get("/health/ready")).status, 200);
  api.services.isReady = false;
  const unready = await api.get("/health/ready");
  assert.equal(unready.status, 503);
  assert.deepEqual(((await unready.json()) as Body).checks, { database: { ok: false, message: "" } });
  assert.equal((await api.get("/health")).status, 200);
});

test("figures: the names that others read, nulls in JSON and skipped in the text", async (t) => {
  const api = await startApi(t);
  const json = (await api.json("/metrics.json")) as Body;
  assert.equal((json.pyaleph_build_info as Body).version, "0.1.0-test");
  assert.equal(json.pyaleph_status_sync_messages_reference_total, null);
  assert.equal(json.pyaleph_status_chain_eth_height_remaining_total, 10);
  const text = await (await api.get("/metrics")).text();
  assert.ok(text.endsWith("\n"));
  assert.match(text, /^pyaleph_build_info\{python_version="node [0-9.]+",version="0\.1\.0-test"\} 1$/m);
  assert.doesNotMatch(text, /null/);
  for (const [name, value] of Object.entries(json)) {
    if (typeof value !== "number") continue;
    assert.match(text, new RegExp(`^# TYPE ${name} (gauge|counter)\n${name} ${value}$`, "m"), name);
  }
  assert.match(text, /^twentysix_http_request_duration_seconds_bucket\{.*route="\/metrics\.json".*\} 1$/m);
  for (const line of text.trim().split("\n"))
    assert.match(line, /^$|^# (HELP|TYPE) \S+ .+$|^\S+(\{.*\})? -?[0-9.e+Inf]+$/);
});

test("the API describes itself: every route, every parameter, without external assets", async (t) => {
  const api = await startApi(t);
  const document = (await api.json("/api/openapi.json")) as {
    openapi: string;
    paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
  };
  assert.match(document.openapi, /^3\.1/);
  for (const path of [
    "/api/v0/messages.json",
    "/api/v0/messages",
    "/api/v0/messages/{item_hash}",
    "/api/v1/posts.json",
    "/api/v0/aggregates/{address}.json",
    "/api/v0/authorizations/received/{address}.json",
    "/api/v0/storage/add_file",
    "/api/v0/ipfs/add_car",
    "/api/v0/storage/raw/{file_hash}",
    "/api/v0/addresses/{address}/files",
    "/api/v1/state-root",
  ]) {
    assert.ok(path in document.paths, path);
  }
  const names = document.paths["/api/v0/messages.json"]?.get?.parameters?.map(({ name }) => name) ?? [];
  for (const name of ["msgType", "contentKeys", "cursor", "pagination", "startBlock"])
    assert.ok(names.includes(name), name);
  assert.ok(!JSON.stringify(document.paths).includes('"head"'));
  for (const path of ["/api/docs", "/"]) {
    const page = await api.get(path);
    const html = await page.text();
    assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'self'/);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
    for (const [, asset = ""] of html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)) {
      const response = await api.get(asset);
      assert.equal(response.status, 200, asset);
      const etag = response.headers.get("etag") ?? "";
      assert.equal((await api.get(asset, { headers: { "if-none-match": etag } })).status, 304);
    }
  }
  assert.equal((await api.get("/static/..%2fsettings.ts")).status, 404);
  const node = (await api.json("/api/v1/node")) as Body;
  assert.deepEqual([node.network, node.address, node.messages], ["local", "0xNode", 42]);
});

test("the table of errors is what clients know", () => {
  assert.equal(Object.keys(API_ERRORS).length, 38);
  for (const [code, status] of Object.entries(API_ERRORS)) {
    assert.match(code, /^API_[A-Z0-9_]+$/);
    assert.ok(status >= 400 && status < 600);
  }
  const error = new ApiError("API_GONE", "gone", { a: 1 });
  assert.equal(error.status, 410);
  assert.equal(
    errorBody(error.code, error.message, error.details),
    '{"error":{"code":"API_GONE","message":"gone","details":{"a":1}}}',
  );
});
