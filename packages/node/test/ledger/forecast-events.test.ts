import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createEvmAccount } from "@twentysix/sdk";
import { giveCredits } from "../support/funds.ts";
import { privateKey, sdkClient } from "../support/sdk-client.ts";
import { startTestNode } from "../support/test-node.ts";

describe("the events of a forecast", { timeout: 60_000 }, () => {
  test("come from a whole node, and end with it", async (t) => {
    const node = await startTestNode();
    t.after(() => node.remove());
    const account = createEvmAccount({ privateKey: privateKey("who listens") });
    const client = sdkClient(node);
    const response = await fetch(`${node.apiUrl}/api/v1/addresses/${account.address}/forecast/events`);
    const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    const until = async (part: string): Promise<void> => {
      while (!heard.includes(part)) {
        const { value, done } = await reader.read();
        assert.ok(!done, `the stream ended before ${part}: ${heard}`);
        heard += value;
      }
    };
    await until("event: forecast\n");
    const { itemHash: ref } = await client.storeFile({ account, file: new Blob(["disk"]), sync: true });
    await giveCredits(node, account.address, 2_000_000);
    const content = {
      allow_amend: false,
      environment: {},
      resources: { vcpus: 1, memory: 2_048 },
      rootfs: { parent: { ref, use_latest: false }, persistence: "host", size_mib: 20_480 },
      volumes: [],
      payment: { chain: "ETH", type: "credit" },
    };
    await client.createInstance({ account, content, sync: true });
    await until('"threshold_seconds":604800');
    assert.match(heard, /event: runway\ndata: \{"address":"0x/);
    const stopping = node.stop();
    let isDone = false;
    while (!isDone) isDone = (await reader.read()).done;
    await stopping;
  });
});
