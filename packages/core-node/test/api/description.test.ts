import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { grant, instanceContent, localAccount, publishBalances, send, store, T } from "./support/economy.ts";
import { type RealNode, startRealNode, testAccount } from "./support/real-node.ts";
import type { TestApi } from "./support/start-api.ts";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly description?: string;
    readonly style?: string;
    readonly explode?: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
}

type Operations = (method: "get" | "post", path: string) => Operation;

async function operationsOf(api: TestApi): Promise<{ operation: Operations; all: readonly Operation[] }> {
  const { paths } = (await api.json("/api/openapi.json")) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const operation: Operations = (method, path) => {
    const found = paths[path]?.[method];
    assert.ok(found !== undefined, `${method} ${path} is described`);
    return found;
  };
  return { operation, all: Object.values(paths).flatMap((operations) => Object.values(operations)) };
}

function schemaOf(content: Content | undefined, mediaType = "application/json"): Schema {
  const schema = content?.[mediaType]?.schema;
  assert.ok(schema !== undefined, `a schema of ${mediaType}`);
  return schema;
}

test("the description tells lists with commas from the one that is repeated, and does as the node does", async (t) => {
  const api = await startRealNode(t);
  const { operation, all } = await operationsOf(api);
  const lists = all.flatMap(({ parameters = [] }) =>
    parameters.filter(({ schema }) => schema.type === "array"),
  );
  assert.ok(lists.length > 20, `${lists.length} lists`);
  for (const { name, style, explode } of lists) {
    assert.deepEqual({ name, style, explode }, { name, style: "form", explode: name === "addresses[]" });
  }
  const types = lists.find(({ name }) => name === "msgTypes");
  assert.equal(types?.description, "Values separated by commas. Also spelled message_types.");
  const [addresses] = operation("get", "/api/v0/addresses/stats.json").parameters ?? [];
  assert.equal(addresses?.name, "addresses[]");
  const accounts = [testAccount(1), testAccount(2), testAccount(3)];
  for (const account of accounts) await api.put({ type: "POST", members: '"type":"note"', account });
  const asked = accounts.slice(0, 2).map(({ address }) => address);
  const query = asked.map((address) => `addresses[]=${address}`).join("&");
  const stats = (await api.json(`/api/v0/addresses/stats.json?${query}`)) as { data: object };
  assert.deepEqual(Object.keys(stats.data).sort(), asked.sort());
});

test("the description tells bodies, answers and refusals", async (t) => {
  const api = await startRealNode(t);
  const { operation } = await operationsOf(api);

  const list = operation("get", "/api/v0/messages.json");
  const page = schemaOf(list.responses["200"]?.content);
  assert.equal(page.properties?.messages?.type, "array");
  for (const key of ["page", "per_page", "total", "item"].map((name) => `pagination_${name}`))
    assert.ok(page.properties !== undefined && key in page.properties, key);
  assert.deepEqual(Object.keys(list.responses).sort(), ["200", "400", "422", "429", "503", "default"]);
  assert.deepEqual(schemaOf(list.responses["400"]?.content).required, ["error"]);

  const file = operation("post", "/api/v0/storage/add_file");
  const form = schemaOf(file.requestBody?.content, "multipart/form-data");
  assert.deepEqual(Object.keys(form.properties ?? {}), ["file", "metadata"]);
  assert.deepEqual(form.required, ["file"]);
  assert.ok("application/octet-stream" in (file.requestBody?.content ?? {}));
  for (const status of [400, 402, 403, 410, 413, 422, 429, 503, 507])
    assert.ok(String(status) in file.responses, `${status} of add_file`);
  const car = operation("post", "/api/v0/ipfs/add_car");
  assert.deepEqual(schemaOf(car.requestBody?.content, "multipart/form-data").required, ["file", "metadata"]);
  schemaOf(operation("post", "/api/v0/storage/add_json").requestBody?.content);

  const one = operation("get", "/api/v0/messages/{item_hash}");
  assert.deepEqual(Object.keys(one.responses).sort(), ["200", "404", "410", "429", "default"]);
});

/** A file, stored and stored under a name, and a program on it that reacts to messages. */
async function putProgram(api: RealNode): Promise<{ fileHash: string; storeHash: string }> {
  const upload = await api.post("/api/v0/storage/add_file", "a file of the description");
  const { hash } = (await upload.json()) as { hash: string };
  const ref = await api.put({
    type: "STORE",
    members: `"item_type":"storage","item_hash":"${hash}"`,
  });
  await api.put({
    type: "STORE",
    members: `"item_type":"storage","item_hash":"${hash}","ref":"named"`,
    time: "1700000001.5",
  });
  const parts = [
    '"type":"vm-function","allow_amend":true,"environment":{},"resources":{}',
    `"code":{"encoding":"zip","entrypoint":"main:app","ref":"${ref}","use_latest":false}`,
    `"runtime":{"ref":"${ref}","comment":"","use_latest":false}`,
    '"on":{"http":true,"message":[{"sender":"somebody"}]}',
  ];
  await publishBalances(api, T, { [api.account.address]: 1_000 });
  await api.put({ type: "PROGRAM", members: parts.join(","), time: "1700000002.5" });
  const programs = (await api.json("/api/v0/programs/on/message")) as unknown[];
  assert.equal(programs.length, 1);
  return { fileHash: hash, storeHash: ref };
}

/** A report of the scoring service about one node of each kind. */
async function measure(api: RealNode): Promise<void> {
  const entry = { node_id: "measured", measured_at: 1_700_000_000, base_latency: 0.1 };
  const content = { metrics: { ccn: [entry], crn: [{ ...entry, base_latency: null }] } };
  const body = { type: "aleph-network-metrics", content };
  await send(api, localAccount("scoring"), "POST", T, body, { channel: "aleph-scoring" });
}

test("answers are as the description says", async (t) => {
  const api = await startRealNode(t);
  const { operation } = await operationsOf(api);
  const post = await api.put({ type: "POST", members: '"type":"note","content":{"a":1}' });
  await api.put({ type: "AGGREGATE", members: '"key":"profile","content":{"name":"x"}' });
  await api.put({
    type: "AGGREGATE",
    members: `"key":"security","content":{"authorizations":[{"address":"${testAccount(7).address}","types":["POST"]}]}`,
  });
  const { fileHash, storeHash } = await putProgram(api);
  const doomed = await api.put({ type: "POST", members: '"type":"note","content":{"a":2}' });
  await api.put({ type: "FORGET", members: `"hashes":["${doomed}"]`, time: "1700000001.5" });
  await measure(api);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const { address } = api.account;
  const unknown = "0".repeat(64);
  const file = await store(api, api.account, T, 10);
  await grant(api, T, { address, amount: 10 });
  const history = "/api/v0/addresses/{address}/credit_history";
  const asked: readonly [route: string, path: string, status: number][] = [
    ["/api/v0/messages.json", "/api/v0/messages.json", 200],
    ["/api/v0/messages.json", "/api/v0/messages.json?contentFormat=none&cursor=", 200],
    ["/api/v0/messages.json", "/api/v0/messages.json?msgStatuses=forgotten", 200],
    ["/api/v0/messages.json", "/api/v0/messages.json?msgStatuses=forgotten&cursor=", 400],
    ["/api/v0/messages.json", "/api/v0/messages.json?page=x", 422],
    ["/api/v0/messages/{item_hash}", `/api/v0/messages/${post}`, 200],
    ["/api/v0/messages/{item_hash}", `/api/v0/messages/${doomed}`, 200],
    ["/api/v0/messages/{item_hash}", `/api/v0/messages/${unknown}`, 404],
    ["/api/v0/messages/{item_hash}/status", `/api/v0/messages/${post}/status`, 200],
    ["/api/v0/posts.json", "/api/v0/posts.json", 200],
    ["/api/v1/posts.json", "/api/v1/posts.json?cursor=", 200],
    ["/api/v0/aggregates.json", "/api/v0/aggregates.json", 200],
    ["/api/v0/aggregates/{address}.json", `/api/v0/aggregates/${address}.json?with_info=1`, 200],
    ["/api/v0/storage/metadata/{file_hash}", `/api/v0/storage/metadata/${unknown}`, 404],
    ["/api/v0/version", "/api/v0/version", 200],
    [
      "/api/v0/addresses/{address}/balance",
      `/api/v0/addresses/${address}/balance?include_credit_details=1`,
      200,
    ],
    ["/api/v0/balances", "/api/v0/balances", 200],
    ["/api/v0/balances", "/api/v0/balances?cursor=", 200],
    ["/api/v0/balances", "/api/v0/balances?min_balance=0", 422],
    ["/api/v0/credit_balances", "/api/v0/credit_balances", 200],
    [history, `/api/v0/addresses/${address}/credit_history`, 200],
    [history, `/api/v0/addresses/${address}/credit_history?cursor=&pagination=1`, 200],
    [history, "/api/v0/addresses/0xNobody/credit_history", 404],
    [`${history}/summary`, `/api/v0/addresses/${address}/credit_history/summary`, 200],
    ["/api/v0/messages/{item_hash}/consumed_credits", `/api/v0/messages/${post}/consumed_credits`, 200],
    ["/api/v1/addresses/{address}/forecast", `/api/v1/addresses/${address}/forecast`, 200],
    ["/api/v0/price/{item_hash}", `/api/v0/price/${file}`, 200],
    ["/api/v0/price/{item_hash}", `/api/v0/price/${post}`, 400],
    ["/api/v0/price/{item_hash}", `/api/v0/price/${unknown}`, 404],
    ["/api/v0/price/{item_hash}", `/api/v0/price/${doomed}`, 410],
    ["/api/v0/costs", "/api/v0/costs", 200],
    ["/api/v0/costs", `/api/v0/costs?payment_type=hold&include_details=2&address=${address}`, 200],
    ["/api/v0/costs", "/api/v0/costs?include_details=1&cursor=", 200],
    ["/api/v0/costs", "/api/v0/costs?include_details=2", 422],
    ["/api/v1/costs/ended", "/api/v1/costs/ended", 200],
    ["/api/v1/costs/ended", "/api/v1/costs/ended?cursor=", 200],
    ["/api/v1/costs/ended", "/api/v1/costs/ended?since=-1", 422],
    ["/api/v1/price/recalculation", "/api/v1/price/recalculation", 200],
    ["/api/v1/messages/{item_hash}/explanation", `/api/v1/messages/${file}/explanation`, 200],
    ["/api/v1/messages/{item_hash}/explanation", `/api/v1/messages/${unknown}/explanation`, 404],
    ["/api/v1/files/{file_hash}/durability", `/api/v1/files/${fileHash}/durability`, 200],
    ["/api/v1/files/{file_hash}/durability", `/api/v1/files/${unknown}/durability`, 404],
    ["/version", "/version", 200],
    ["/api/v0/messages/page/{page}.json", "/api/v0/messages/page/1.json", 200],
    ["/api/v0/messages/{item_hash}/content", `/api/v0/messages/${post}/content`, 200],
    ["/api/v0/posts/page/{page}.json", "/api/v0/posts/page/1.json", 200],
    ["/api/v1/posts/page/{page}.json", "/api/v1/posts/page/1.json", 200],
    ["/api/v0/aggregates", "/api/v0/aggregates", 200],
    ["/api/v0/storage/{file_hash}", `/api/v0/storage/${fileHash}`, 200],
    ["/api/v0/storage/by-message-hash/{message_hash}", `/api/v0/storage/by-message-hash/${storeHash}`, 200],
    ["/api/v0/storage/by-ref/{ref}", `/api/v0/storage/by-ref/${storeHash}`, 200],
    ["/api/v0/storage/by-ref/{address}/{ref}", `/api/v0/storage/by-ref/${address}/named`, 200],
    ["/api/v1/checkpoints", "/api/v1/checkpoints", 200],
    ["/api/v1/state-root", "/api/v1/state-root", 200],
    ["/api/v1/chains", "/api/v1/chains", 200],
    ["/api/v1/node", "/api/v1/node", 200],
    ["/api/openapi.json", "/api/openapi.json", 200],
    ["/api/v0/messages/hashes", "/api/v0/messages/hashes", 200],
    ["/api/v0/messages/hashes", "/api/v0/messages/hashes?hash_only=false&cursor=", 200],
    ["/api/v0/messages/{item_hash}/events", `/api/v0/messages/${post}/events`, 200],
    ["/api/v0/messages/{item_hash}/events", `/api/v0/messages/${doomed}/events`, 200],
    ["/api/v0/authorizations/granted/{address}.json", `/api/v0/authorizations/granted/${address}.json`, 200],
    [
      "/api/v0/authorizations/received/{address}.json",
      `/api/v0/authorizations/received/${testAccount(7).address}.json`,
      200,
    ],
    ["/api/v0/storage/count/{file_hash}", `/api/v0/storage/count/${fileHash}`, 200],
    ["/api/v0/storage/metadata/{file_hash}", `/api/v0/storage/metadata/${fileHash}`, 200],
    ["/api/v0/storage/limits.json", "/api/v0/storage/limits.json", 200],
    ["/api/v0/addresses/{address}/files", `/api/v0/addresses/${address}/files`, 200],
    ["/api/v0/addresses/{address}/files", `/api/v0/addresses/${address}/files?cursor=`, 200],
    ["/api/v0/addresses/{address}/files", `/api/v0/addresses/${testAccount(9).address}/files`, 404],
    ["/api/v0/addresses/{address}/post_types", `/api/v0/addresses/${address}/post_types`, 200],
    ["/api/v0/addresses/{address}/channels", `/api/v0/addresses/${address}/channels`, 200],
    ["/api/v0/addresses/stats.json", "/api/v0/addresses/stats.json", 200],
    ["/api/v0/addresses/stats.json", `/api/v0/addresses/stats.json?addresses[]=${address}`, 200],
    ["/api/v1/addresses/stats.json", "/api/v1/addresses/stats.json", 200],
    ["/api/v1/addresses/stats.json", "/api/v1/addresses/stats.json?cursor=", 200],
    ["/api/v0/info/public.json", "/api/v0/info/public.json", 200],
    ["/api/v0/channels/list.json", "/api/v0/channels/list.json", 200],
    ["/api/v0/programs/on/message", "/api/v0/programs/on/message", 200],
    ["/health", "/health", 200],
    ["/health/ready", "/health/ready", 200],
    ["/metrics.json", "/metrics.json", 200],
    ["/api/v0/core/{node_id}/metrics", "/api/v0/core/measured/metrics?end_date=1700000000", 200],
    ["/api/v0/core/{node_id}/metrics", "/api/v0/core/nobody/metrics", 404],
    ["/api/v0/compute/{node_id}/metrics", "/api/v0/compute/measured/metrics?end_date=1700000000", 200],
    ["/api/v0/compute/{node_id}/metrics", "/api/v0/compute/nobody/metrics", 404],
  ];
  const answered = new Set<string>();
  for (const [route, path, status] of asked) {
    const response = await api.get(path);
    const answer: unknown = await response.json();
    assert.equal(response.status, status, path);
    const schema = schemaOf(operation("get", route).responses[String(status)]?.content);
    assert.ok(Object.keys(schema).length > 0, `${status} of ${route} has a schema`);
    answered.add(route);
    const isValid = ajv.validate(schema, answer);
    assert.ok(isValid, `${path}: ${ajv.errorsText()} in ${JSON.stringify(answer)}`);
  }
  const posted: readonly [route: string, body: object, status: number][] = [
    ["/api/v0/price/estimate/instance", { address, ...instanceContent(unknown) }, 200],
    ["/api/v0/price/estimate/instance", {}, 422],
    ["/api/v0/price/estimate", {}, 422],
    ["/api/v0/price/recalculate", {}, 401],
    [
      "/api/v1/quote",
      { message: { type: "INSTANCE", content: { address, ...instanceContent(unknown) } } },
      200,
    ],
    ["/api/v1/quote", {}, 422],
  ];
  for (const [route, body, status] of posted) {
    const response = await api.post(route, JSON.stringify(body));
    const answer: unknown = await response.json();
    assert.equal(response.status, status, route);
    const schema = schemaOf(operation("post", route).responses[String(status)]?.content);
    assert.ok(ajv.validate(schema, answer), `${route}: ${ajv.errorsText()} in ${JSON.stringify(answer)}`);
  }
  const { paths } = (await api.json("/api/openapi.json")) as { paths: Record<string, { get?: Operation }> };
  for (const [route, { get }] of Object.entries(paths)) {
    const json = get?.responses["200"]?.content["application/json"];
    if (json === undefined) continue;
    assert.ok(Object.keys(json.schema).length > 0, `the answer of ${route} is described`);
    assert.ok(answered.has(route), `the answer of ${route} is checked here`);
  }
});
