import { aggregate, evm, type Signed, signed, store, vprogram } from "../support/signed.ts";
import { testFile } from "../support/state-harness.ts";
import { tell } from "../support/told.ts";
import type { ActingSwitch } from "./switch-case.ts";

/* Switches that decide which contents are well-formed. */

const owner = evm("owner of contents");
const TIME = 1_700_000_000;
const MALFORMED = "rejected 0";

/** Of a raw leaf: neither `Qm…` nor `bafy…`. */
const RAW_CID = "bafkreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje";

export const anyCidV1: ActingSwitch = {
  /** A file of that name, and a `ref` of that form: a message that is not there, or a name like any other. */
  async observe(node) {
    await node.hold({ hash: RAW_CID, sizeBytes: 9 }, testFile(0));
    return await tell(
      node,
      signed(owner, "STORE", TIME, { item_type: "ipfs", item_hash: RAW_CID }),
      store(owner, TIME, testFile(0).hash, RAW_CID),
    );
  },
  on: ["processed", "rejected 200"],
  off: [MALFORMED, "processed"],
};

export const strictVProgramScalars: ActingSwitch = {
  observe: (node) => tell(node, vprogram(owner, TIME, testFile(0).hash, { resources: { vcpus: "2" } })),
  on: [MALFORMED],
  off: ["processed"],
};

/** An INSTANCE that wants a processor and a GPU but no certain node. */
function placedByTheScheduler(ref: string, time: number, requirements: object): Signed {
  return signed(owner, "INSTANCE", time, {
    allow_amend: false,
    payment: { type: "credit" },
    environment: { hypervisor: "qemu" },
    resources: {},
    requirements,
    rootfs: { parent: { ref }, persistence: "host", size_mib: 20_480 },
  });
}

export const creditInstancesWithoutNode: ActingSwitch = {
  async observe(node) {
    const file = testFile(0);
    await node.hold(file);
    const disk = signed(owner, "STORE", TIME, { item_type: "storage", item_hash: file.hash });
    const gpu = { vendor: "NVIDIA", device_name: "L40S", device_class: "0302", device_id: "10de:26b9" };
    const [, ...machines] = await tell(
      node,
      disk,
      placedByTheScheduler(disk.hash, TIME + 1, { cpu: { architecture: "x86_64" } }),
      placedByTheScheduler(disk.hash, TIME + 2, { gpu: [gpu] }),
    );
    return machines;
  },
  on: ["processed", "processed"],
  off: [MALFORMED, MALFORMED],
};

export const forgetAggregatesByName: ActingSwitch = {
  observe: (node) =>
    tell(
      node,
      aggregate(owner, TIME, "profile", { nick: "ann" }),
      signed(owner, "FORGET", TIME + 1, { hashes: [], aggregates: ["profile"] }),
    ),
  on: ["forgotten", "processed"],
  off: ["processed", MALFORMED],
};
