import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { localAuthority } from "../support/local-authority.ts";
import {
  Blockchain,
  ethereumAccount,
  publishedClient,
  publishedMessages,
} from "../support/published-client.ts";
import { startTestNode } from "../support/test-node.ts";

const node = await startTestNode();
after(() => node.remove());

const { ItemType, MessageCostType, PaymentType, VolumePersistence } = publishedMessages;
const account = ethereumAccount("prices");
const client = publishedClient(node, account);
const REF = "ab".repeat(32);
const payment = { chain: Blockchain.ETH, type: PaymentType.credit };
/** A file that is not here. */
const CID = "QmYULJoNGPDmoRq4WNWTDTUvJGJv1hosox8H6vVd1kCsY8";
const MIB = 1024 * 1024;

describe("prices by the published client", { timeout: 60_000 }, () => {
  before(async () => {
    const registry = publishedClient(node, localAuthority("registry"));
    const content = { chain: "ETH", main_height: 1, balances: { [account.address]: 5_000 } };
    await registry.createPost({ postType: "balances-update", content, channel: "FUNDS", sync: true });
    const issuer = publishedClient(node, localAuthority("credits"));
    const grant = { address: account.address, amount: 1_000_000, price: "1", tx_hash: "0x1", provider: "P" };
    const distribution = { token: "ALEPH", chain: "ETH", credits: [grant] };
    await issuer.createPost({
      postType: "aleph_credit_distribution",
      content: { distribution },
      channel: "ALEPH_CREDIT",
      sync: true,
    });
  });

  test("an instance is estimated, created, and has the price of the estimate", async () => {
    const volumes = [
      { persistence: VolumePersistence.host, name: "data", mount: "/data", size_mib: 1_024 },
      { ref: REF, use_latest: true, mount: "/opt", estimated_size_mib: 100 },
    ];
    const instanceOf = (ref: string) => ({
      account,
      channel: "PRICES",
      rootfs: { parent: { ref, use_latest: false }, size_mib: 20_480, persistence: VolumePersistence.host },
      payment,
      sync: true,
    });
    const estimate = await client.instanceClient.getEstimatedCost({ ...instanceOf(REF), volumes });
    assert.equal(estimate.payment_type, PaymentType.credit);
    assert.deepEqual(
      estimate.detail.map(({ type, name }) => [type, name]),
      [
        [MessageCostType.EXECUTION, "instance"],
        [MessageCostType.EXECUTION_INSTANCE_VOLUME_ROOTFS, "EXECUTION_INSTANCE_VOLUME_ROOTFS"],
        [MessageCostType.EXECUTION_VOLUME_PERSISTENT, "#0:/data"],
        [MessageCostType.EXECUTION_VOLUME_INMUTABLE, "#1:/opt"],
        [MessageCostType.EXECUTION_VOLUME_DISCOUNT, "EXECUTION_VOLUME_DISCOUNT"],
      ],
    );
    const disk = await client.createStore({
      fileObject: Buffer.from("a disk"),
      storageEngine: ItemType.storage,
      channel: "PRICES",
      sync: true,
    });
    const bare = await client.instanceClient.getEstimatedCost(instanceOf(disk.item_hash));
    const instance = await client.createInstance(instanceOf(disk.item_hash));
    const price = await client.instanceClient.getCost(instance.item_hash);
    assert.deepEqual([price.cost, price.payment_type], [bare.cost, PaymentType.credit]);
    assert.deepEqual(
      price.detail.map(({ cost_credit }) => cost_credit),
      bare.detail.map(({ cost_credit }) => cost_credit),
    );
  });

  test("a program and a file are estimated by the sizes that their author expects", async () => {
    const program = await client.programClient.getEstimatedCost({
      account,
      channel: "PRICES",
      programRef: REF,
      entrypoint: "main:app",
      runtime: REF,
      payment,
    });
    assert.ok(program.detail.some(({ type }) => type === MessageCostType.EXECUTION));
    const file = await client.storeClient.getEstimatedCost({
      account,
      channel: "PRICES",
      fileHash: CID,
      storageEngine: ItemType.ipfs,
      estimated_size_mib: 50,
    });
    assert.deepEqual([file.cost, file.payment_type], ["16.666666650000000000", PaymentType.hold]);
    const measured = await client.storeClient.getEstimatedCost({
      account,
      channel: "PRICES",
      fileObject: Buffer.alloc(2 * MIB),
      storageEngine: ItemType.storage,
    });
    assert.equal(measured.cost, "0.666666666000000000");
  });
});
