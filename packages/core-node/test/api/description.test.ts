import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { grant, instanceContent, store, T } from "./support/economy.ts";
import { startRealNode, testAccount } from "./support/real-node.ts";
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

test("answers are as the description says", async (t) => {
  const api = await startRealNode(t);
  const { operation } = await operationsOf(api);
  const post = await api.put({ type: "POST", members: '"type":"note","content":{"a":1}' });
  await api.put({ type: "AGGREGATE", members: '"key":"profile","content":{"name":"x"}' });
  const doomed = await api.put({ type: "POST", members: '"type":"note","content":{"a":2}' });
  await api.put({ type: "FORGET", members: `"hashes":["${doomed}"]`, time: "1700000001.5" });
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
    ["/api/v1/price/recalculation", "/api/v1/price/recalculation", 200],
  ];
  for (const [route, path, status] of asked) {
    const response = await api.get(path);
    const answer: unknown = await response.json();
    assert.equal(response.status, status, path);
    const schema = schemaOf(operation("get", route).responses[String(status)]?.content);
    assert.ok(Object.keys(schema).length > 0, `${status} of ${route} has a schema`);
    const isValid = ajv.validate(schema, answer);
    assert.ok(isValid, `${path}: ${ajv.errorsText()} in ${JSON.stringify(answer)}`);
  }
  const posted: readonly [route: string, body: object, status: number][] = [
    ["/api/v0/price/estimate/instance", { address, ...instanceContent(unknown) }, 200],
    ["/api/v0/price/estimate/instance", {}, 422],
    ["/api/v0/price/estimate", {}, 422],
    ["/api/v0/price/recalculate", {}, 401],
  ];
  for (const [route, body, status] of posted) {
    const response = await api.post(route, JSON.stringify(body));
    const answer: unknown = await response.json();
    assert.equal(response.status, status, route);
    const schema = schemaOf(operation("post", route).responses[String(status)]?.content);
    assert.ok(ajv.validate(schema, answer), `${route}: ${ajv.errorsText()} in ${JSON.stringify(answer)}`);
  }
});
