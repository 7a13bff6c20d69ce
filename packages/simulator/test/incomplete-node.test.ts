import assert from "node:assert/strict";
import { test } from "node:test";
import { converge } from "../src/checks/convergence.ts";
import { submitTo } from "../src/workload/client.ts";
import { MessageSource } from "../src/workload/message-source.ts";
import { simulatedDefinition } from "../src/workload/simulated-definition.ts";
import { Machine } from "../src/world/machine.ts";
import { nameOfMachine } from "../src/world/machine-key.ts";
import { untilReady } from "../src/world/until-ready.ts";
import { World } from "../src/world/world.ts";

const NODES = 4;
const LONG_MS = 600_000;

test("a node that has lost its disk takes transfers, and all nodes carry them out", async () => {
  using world = new World({ seed: 26 });
  const definition = simulatedDefinition({ copies: null, auditSeconds: 60, outageSeconds: 20 });
  const bootstrap = Array.from({ length: NODES }, (_, n) => nameOfMachine(n));
  const machines = bootstrap.map((_, number) => new Machine({ world, number, definition, bootstrap }));
  const [first] = machines;
  assert.ok(first !== undefined);
  const source = new MessageSource({
    random: world.random("messages"),
    files: world.files,
    nowSeconds: () => Number(world.clock.nowMicros()) / 1e6,
    users: 4,
    fileSize: () => 1_000,
    storePercent: 0,
  });
  const submit = async (message: ReturnType<typeof source.next>): Promise<string> =>
    await submitTo(await first.node(), message, world.files);
  for (const machine of machines) machine.start();
  for (const machine of machines) await untilReady(world, machine);
  for (const message of source.funding())
    await world.until(
      "the funds",
      LONG_MS,
      submit({ ...message, kind: "funding", file: null, fileHash: null }),
    );
  await converge(world, machines, LONG_MS);

  first.crash("disk");
  first.start();
  await world.until("the start", LONG_MS, first.node());
  assert.equal(await first.readyNode(), null, "it has what the others have already");
  const transfers = Array.from({ length: 40 }, () => source.next()).filter(({ kind }) => kind === "transfer");
  assert.ok(transfers.length > 0);
  const answers = await world.until("the answers", LONG_MS, Promise.all(transfers.map(submit)));
  assert.deepEqual(new Set(answers), new Set(["taken"]));

  await untilReady(world, first);
  await world.pass(30_000);
  for (const machine of machines) {
    const { services } = await machine.node();
    for (const { hash } of transfers) {
      const view = await world.until("a status", LONG_MS, services.reads.statusOf(hash));
      assert.equal(view?.status, "processed", machine.peerId);
    }
  }
  for (const machine of machines) await world.until("the end", LONG_MS, machine.stop());
});
