import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createConnection } from "@twentysix/sdk";
import { MessageSource } from "../../src/scheduler/inputs/message-source.ts";

/** A core node that answers as told; gives the types that it was asked for. */
function coreNode(answer: (types: string) => number) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    const types = new URL(url).searchParams.get("msgTypes") ?? "";
    asked.push(types);
    const status = answer(types);
    if (status !== 200) return Response.json([], { status });
    return Response.json({ messages: [], next_cursor: null });
  };
  const source = new MessageSource({
    connection: createConnection({ apiUrl: "http://core.test", fetch, retries: 0 }),
    switches: {},
    registry: { address: "0x0", key: "corechannel" },
  });
  return { asked, snapshot: () => source.snapshot(AbortSignal.timeout(10_000)) };
}

const ALL = "INSTANCE,PROGRAM,V-PROGRAM";
const OLDER = "INSTANCE,PROGRAM";

describe("a snapshot of the machines", () => {
  test("is without verifiable programs where the core node knows no such messages, as long as it does not", async () => {
    let isOlder = true;
    const { asked, snapshot } = coreNode((types) => (isOlder && types === ALL ? 422 : 200));
    await snapshot();
    assert.deepEqual(asked.splice(0), [ALL, OLDER]);
    isOlder = false;
    await snapshot();
    assert.deepEqual(asked, [ALL]);
  });

  test("is none where the core node is too busy, or refuses for another reason", async () => {
    for (const status of [403, 404, 429, 503]) {
      const { asked, snapshot } = coreNode(() => status);
      await assert.rejects(snapshot(), String(status));
      assert.deepEqual(asked, [ALL]);
    }
  });
});
