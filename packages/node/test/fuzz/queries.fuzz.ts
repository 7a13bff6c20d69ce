import assert from "node:assert/strict";
import { test } from "node:test";
import type { Random } from "@twentysix/platform";
import { assertAnswer, type FuzzTarget, fuzz } from "./fuzz-node.ts";
import { MessageMaker } from "./message-maker.ts";
import { mutateText, pickOf } from "./mutate.ts";

const NO_TIME_LIMIT = { timeout: Number.POSITIVE_INFINITY };
const MESSAGES = 150;
const VALUES = [
  ..."0 1 -1 2 20 20.0 1e3 1e308 1e999 NaN 9999999999 253402300800 99999999999999999999999 true false".split(
    " ",
  ),
  ..."POST STORE,POST INSTANCE processed pending,rejected forgotten removing ETH inline credit ASC -1".split(
    " ",
  ),
  ..."time tx-time tx_time first full none hash amend note security key FUZZ DEFAULT desc e30 W10 bnVsbA".split(
    " ",
  ),
  ..."eyJoIjoxfQ eyJ0IjoiMSIsImgiOm51bGx9 %00 %ff %F0%9F%92%A9 %ED%A0%80 __proto__ , %2C %26 + % 0xA".split(
    " ",
  ),
  "",
  "ab".repeat(32),
  "a,".repeat(500),
  "%".repeat(3),
];

interface Operation {
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
}

/** Every route that can be asked, with the names of what it takes. */
async function operationsOf(apiUrl: string): Promise<Operation[]> {
  const document = (await (await fetch(`${apiUrl}/api/openapi.json`)).json()) as {
    paths: Record<string, { get?: { parameters?: Operation["parameters"] } }>;
  };
  const operations = Object.entries(document.paths).flatMap(([path, { get }]) =>
    // A stream of events has no end to wait for.
    get === undefined || path.includes("/ws") || path.endsWith("/events")
      ? []
      : [{ path, parameters: get.parameters ?? [] }],
  );
  assert.ok(operations.length > 30, `${operations.length} routes`);
  return operations;
}

/** What answers were full of: hashes, addresses, cursors. */
class Vocabulary {
  readonly #words: string[] = [...VALUES];

  learn(answer: string, random: Random): void {
    for (const [, word] of answer.matchAll(/"([A-Za-z0-9_-]{20,600})"/g)) {
      if (word === undefined || random.uniform(20) > 0) continue;
      if (this.#words.length < 2_000) this.#words.push(word);
      else this.#words[VALUES.length + random.uniform(1_000)] = word;
    }
  }

  word(random: Random): string {
    const word = pickOf(random, this.#words);
    if (random.uniform(6) > 0) return word;
    return encodeURIComponent(mutateText(random, word).toWellFormed());
  }
}

function pathAndQuery(random: Random, { path, parameters }: Operation, words: Vocabulary): string {
  const filled = path.replaceAll(/\{[^}]+\}|:[a-z_]+/g, () => words.word(random) || "x");
  const names = parameters.filter((one) => one.in === "query").map(({ name }) => name);
  const count = random.uniform(5);
  const pairs = Array.from({ length: count }, () => {
    const name = names.length > 0 && random.uniform(8) > 0 ? pickOf(random, names) : words.word(random);
    return `${name}=${words.word(random)}`;
  });
  return count === 0 ? filled : `${filled}?${pairs.join("&")}`;
}

async function fill({ node, random }: FuzzTarget): Promise<void> {
  const maker = new MessageMaker(await MessageMaker.uploadFiles(node.apiUrl));
  for (let n = 0; n < MESSAGES; n += 1) {
    const body = `{"message":${maker.make(random).text}}`;
    await assertAnswer(await fetch(`${node.apiUrl}/api/v0/messages`, { method: "POST", body }), body);
  }
}

test("no query of any route makes the node fail", NO_TIME_LIMIT, () =>
  fuzz("queries", async (target) => {
    const { apiUrl } = target.node;
    await fill(target);
    const operations = await operationsOf(apiUrl);
    const words = new Vocabulary();
    return async (random) => {
      const path = pathAndQuery(random, pickOf(random, operations), words);
      const method = random.uniform(20) === 0 ? "HEAD" : "GET";
      const headers = random.uniform(10) === 0 ? { range: words.word(random), "if-none-match": "*" } : {};
      const response = await fetch(`${apiUrl}${path}`, { method, headers });
      words.learn(await assertAnswer(response, `${method} ${path}`), random);
    };
  }),
);
