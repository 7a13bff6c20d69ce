import assert from "node:assert/strict";
import { test } from "node:test";
import { startApi } from "./support/start-api.ts";

test("a known path with another method is 405, an unknown path 404, both as JSON", async (t) => {
  const api = await startApi(t);
  const wrongMethod = await api.get("/version", { method: "DELETE" });
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers.get("allow"), "GET, HEAD");
  assert.equal(
    ((await wrongMethod.json()) as { error: { code: string } }).error.code,
    "API_METHOD_NOT_ALLOWED",
  );

  for (const path of ["/nothing", "/version/", "/VERSION", "/api/v0/messages/a/b/c"]) {
    const unknown = await api.get(path);
    assert.equal(unknown.status, 404, path);
    assert.match(unknown.headers.get("content-type") ?? "", /^application\/json/);
  }
  const postUnknown = await api.post("/nothing", "x", { headers: { "content-type": "weird/type" } });
  assert.equal(postUnknown.status, 404);
});

test("HEAD answers the headers of GET without body", async (t) => {
  const api = await startApi(t);
  const get = await api.get("/api/v0/version");
  const head = await api.get("/api/v0/version", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), get.headers.get("content-length"));
  assert.equal(await head.text(), "");
});

test("every answer is open to every origin, errors and unknown paths too", async (t) => {
  const api = await startApi(t);
  for (const path of ["/version", "/nothing", "/api/v0/storage/xyz"]) {
    const response = await api.get(path, { headers: { origin: "https://app.example" } });
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example", path);
    assert.match(response.headers.get("access-control-expose-headers") ?? "", /Content-Length/);
    assert.match(response.headers.get("vary") ?? "", /Origin/);
  }
  const plain = await api.get("/version");
  assert.equal(plain.headers.get("access-control-allow-origin"), null);
});

test("a preflight of a supported method is granted with a lifetime, others are refused", async (t) => {
  const api = await startApi(t);
  const preflight = (path: string, headers: Record<string, string>): Promise<Response> =>
    api.get(path, { method: "OPTIONS", headers });
  const origin = "https://app.example";
  const granted = await preflight("/api/v0/messages", {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, x-custom",
  });
  assert.equal(granted.status, 200);
  assert.equal(granted.headers.get("access-control-allow-origin"), origin);
  assert.equal(granted.headers.get("access-control-allow-methods"), "POST");
  assert.equal(granted.headers.get("access-control-allow-headers"), "content-type, x-custom");
  assert.ok(Number(granted.headers.get("access-control-max-age")) > 0);

  const hash = "a".repeat(64);
  const onVariable = await preflight(`/api/v0/messages/${hash}/status`, {
    origin,
    "access-control-request-method": "HEAD",
  });
  assert.equal(onVariable.status, 200);
  for (const [path, headers] of [
    ["/api/v0/messages", { origin }],
    ["/api/v0/messages", { origin, "access-control-request-method": "DELETE" }],
    ["/version", { origin, "access-control-request-method": "POST" }],
    ["/version", { "access-control-request-method": "GET" }],
    ["/nothing", { origin, "access-control-request-method": "GET" }],
  ] as const) {
    const refused = await preflight(path, { ...headers });
    assert.equal(refused.status, 403, path);
    assert.match(await refused.text(), /Forbidden/);
  }
});

test("a URL or a path that is not valid is a client error", async (t) => {
  const api = await startApi(t, { settings: { maxUrlBytes: 300 } });
  assert.equal((await api.get("/api/v0/messages/%ff")).status, 400);
  assert.equal((await api.get("/api/v0/messages/%E0%A4%A")).status, 400);
  const long = await api.get(`/version?x=${"y".repeat(400)}`);
  assert.equal(long.status, 414);
  assert.equal(((await long.json()) as { error: { code: string } }).error.code, "API_URI_TOO_LONG");
  assert.equal((await api.get(`/version?x=${"y".repeat(200)}`)).status, 200);
});

test("an unexpected failure is counted, logged and answered with 500", async (t) => {
  const api = await startApi(t);
  // No list is brought to this test: asking for one is a defect of the node under test.
  const response = await api.get("/api/v0/channels/list.json");
  assert.equal(response.status, 500);
  assert.equal(((await response.json()) as { error: { code: string } }).error.code, "API_INTERNAL");
  assert.equal(api.services.log.records.filter(({ level }) => level === "error").length, 1);
  assert.match(await (await api.get("/metrics")).text(), /^twentysix_internal_errors_total 1$/m);
});
