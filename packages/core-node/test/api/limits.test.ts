import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TokenBuckets } from "../../src/api/http/token-buckets.ts";
import { startApi } from "./support/start-api.ts";

test("a bucket holds its burst, refills with time and forgets the address used least recently", () => {
  let nowMs = 0;
  const buckets = new TokenBuckets({ perSecond: 2, burst: 4, maxKeys: 2 }, () => nowMs);
  for (let n = 0; n < 4; n += 1) assert.equal(buckets.take("a", 1), 0);
  assert.equal(buckets.take("a", 1), 0.5);
  nowMs += 500;
  assert.equal(buckets.take("a", 1), 0);
  assert.equal(buckets.take("b", 4), 0);
  assert.equal(buckets.take("a", 1), 0.5);
  assert.equal(buckets.take("c", 1), 0);
  assert.equal(buckets.size, 2);
  // b was forgotten, and so starts afresh.
  assert.equal(buckets.take("b", 4), 0);
});

test("a bucket never gives out more than its burst and its refill", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 5 })), {
        maxLength: 60,
      }),
      (steps) => {
        let nowMs = 0;
        let taken = 0;
        const buckets = new TokenBuckets({ perSecond: 3, burst: 5, maxKeys: 10 }, () => nowMs);
        for (const [waitMs, cost] of steps) {
          nowMs += waitMs;
          if (buckets.take("a", cost) === 0) taken += cost;
        }
        assert.ok(taken <= 5 + (nowMs / 1_000) * 3 + 1e-6);
      },
    ),
  );
});

test("an address behind a trusted proxy is limited by itself, with 429 and Retry-After", async (t) => {
  const api = await startApi(t, {
    settings: { trustedProxies: ["127.0.0.1"], rate: { perSecond: 0.001, burst: 3 } },
  });
  const ask = (client: string): Promise<Response> =>
    api.get("/metrics.json", { headers: { "x-forwarded-for": client, origin: "https://a.example" } });
  for (let n = 0; n < 3; n += 1) assert.equal((await ask("203.0.113.7")).status, 200);
  const refused = await ask("203.0.113.7");
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(refused.headers.get("access-control-allow-origin"), "https://a.example");
  const { error } = (await refused.json()) as { error: { code: string; details: Record<string, number> } };
  assert.equal(error.code, "API_RATE_LIMITED");
  assert.ok((error.details.retryAfterSeconds ?? 0) > 0);
  assert.equal((await ask("203.0.113.8")).status, 200);
  // Routes that cost nothing stay open: probes must not fail because of a visitor.
  assert.equal((await api.get("/health", { headers: { "x-forwarded-for": "203.0.113.7" } })).status, 200);
  assert.match(await (await api.get("/metrics")).text(), /^twentysix_http_rate_limited_total 1$/m);
});

test("a forwarded address is not believed of a client that is no trusted proxy", async (t) => {
  const api = await startApi(t, { settings: { rate: { perSecond: 0.001, burst: 1 } } });
  for (let n = 0; n < 4; n += 1) {
    const response = await api.get("/metrics.json", { headers: { "x-forwarded-for": "203.0.113.9" } });
    assert.equal(response.status, 200);
  }
});
