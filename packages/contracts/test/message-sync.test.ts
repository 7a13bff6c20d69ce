import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createSystemTimers } from "@twentysix/platform";
import { createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { type Anvil, startAnvil } from "../src/anvil.ts";
import {
  encodeDeployment,
  encodeEmit,
  encodeMessage,
  MESSAGE_EVENT_TOPIC,
  MESSAGE_SYNC_ABI,
  MESSAGE_SYNC_BYTECODE,
  readMessageSyncLog,
  SYNC_EVENT_TOPIC,
} from "../src/index.ts";
import { compileContract } from "./support/compile-contracts.ts";

describe("what is checked in", () => {
  const compiled = compileContract("MessageSync.sol", "MessageSync");

  test("is what the compiler gives: `npm run contracts` writes it", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(MESSAGE_SYNC_ABI)), compiled.abi);
    assert.equal(MESSAGE_SYNC_BYTECODE, compiled.bytecode);
  });

  test("has the selectors and topics that existing contracts and readers use", () => {
    assert.deepEqual(compiled.selectors, {
      "doEmit(string)": "58666c04",
      "doMessage(string,string)": "128f72c5",
    });
    assert.equal(SYNC_EVENT_TOPIC, "0x2cc768a3de0c950ea2a38e55a9b143cc6fd5a8eec27e36993b542fb16ab591e1");
    assert.equal(MESSAGE_EVENT_TOPIC, "0x548eda6c65f4bd05085e450712b22cfb19c58816b453f69294a94e78db9ab32b");
  });
});

describe("on a chain", () => {
  const SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
  let anvil: Anvil;
  before(async () => {
    anvil = await startAnvil({ timers: createSystemTimers() });
  });
  after(() => anvil.close());

  async function logsOf(data: Hex) {
    const client = createTestClient({ mode: "anvil", transport: http(anvil.rpcUrl) })
      .extend(publicActions)
      .extend(walletActions);
    const send = (to: Hex | null, input: Hex) =>
      client
        .sendTransaction({ account: SENDER, chain: null, data: input, ...(to === null ? {} : { to }) })
        .then((hash) => client.waitForTransactionReceipt({ hash, pollingInterval: 20 }));
    const { contractAddress } = await send(null, encodeDeployment());
    assert.ok(contractAddress);
    const receipt = await send(contractAddress, data);
    const block = await client.getBlock({ blockNumber: receipt.blockNumber });
    return { logs: receipt.logs, timeSeconds: block.timestamp };
  }

  test("doEmit tells the text, its caller and the time of the block", async () => {
    const text = '{"protocol":"aleph-offchain","version":1,"content":"Qmä"}';
    const { logs, timeSeconds } = await logsOf(encodeEmit(text));
    assert.deepEqual(
      logs.map((log) => readMessageSyncLog(log)),
      [{ kind: "sync", timeSeconds, emitter: SENDER, message: text }],
    );
  });

  test("doMessage tells type and content of a message", async () => {
    const { logs, timeSeconds } = await logsOf(encodeMessage("POST", '{"a": 1}'));
    assert.deepEqual(
      logs.map((log) => readMessageSyncLog(log)),
      [{ kind: "message", timeSeconds, emitter: SENDER, type: "POST", content: '{"a": 1}' }],
    );
  });
});

test("what is no event of the contract, or broken, is none", () => {
  assert.equal(readMessageSyncLog({ topics: [], data: "0x" }), null);
  assert.equal(readMessageSyncLog({ topics: [`0x${"00".repeat(32)}`], data: "0x" }), null);
  assert.equal(readMessageSyncLog({ topics: [SYNC_EVENT_TOPIC], data: "0x1234" }), null);
  assert.equal(readMessageSyncLog({ topics: [SYNC_EVENT_TOPIC], data: "text" }), null);
  const offsets = "ff".repeat(32).repeat(4);
  assert.equal(readMessageSyncLog({ topics: [MESSAGE_EVENT_TOPIC], data: `0x${offsets}` }), null);
});
