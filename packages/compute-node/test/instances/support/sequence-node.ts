import { tinyDisk } from "../../../src/images/build/tiny-guest.ts";
import { buildOptions, IMAGES_FOLDER } from "../../images/support.ts";
import { hashOf, instanceMessage } from "../../support/vm-messages.ts";
import { startInstanceNode } from "./instance-node.ts";
import { PARENT, type SequenceAnswer, type SequenceRequest } from "./sequence-messages.ts";

/**
 * A compute node without its HTTP API as a process of its own, which may be killed at any moment: `node sequence-node.ts
 * FOLDER NETWORK`. What an owner does comes over the channel to whoever started it.
 */
const [, , dir, network] = process.argv;
if (dir === undefined || (network !== "tap" && network !== "user"))
  throw new Error("needs a folder and a kind of network");
const signal = new AbortController().signal;
const disk = await tinyDisk(IMAGES_FOLDER, buildOptions(signal));
const files = new Map([[PARENT, disk.qcow2Path]]);
const node = await startInstanceNode({ network, files, shutDownMs: 500 }, dir);
const { manager } = node.executions;

const messageOf = (name: string) =>
  instanceMessage(name, {
    resources: { vcpus: 1, memory: 128, seconds: 30, published_ports: null },
    rootfs: {
      parent: { ref: PARENT, use_latest: true },
      persistence: "host",
      size_mib: 64,
      forgotten_by: null,
    },
  });

async function perform({ operation, name }: SequenceRequest): Promise<unknown> {
  const vmHash = hashOf(name);
  const execution = manager.get(vmHash);
  switch (operation) {
    case "start":
      return manager.ensureRunning(messageOf(name), { source: "owner", isPersistent: true }, signal);
    case "stop":
      return manager.stop(vmHash, null, signal);
    case "reboot":
      return manager.reboot(vmHash, signal);
    case "reinstall":
      return manager.reinstall(vmHash, { erasesVolumes: true }, signal);
    case "erase":
      return manager.erase(vmHash, null, signal);
    case "backup":
      return execution === null
        ? null
        : node.backups.create(execution, { includesVolumes: true, skipsFreeze: true }, signal);
    case "export":
      return execution === null ? null : node.migrations.startExport(execution, signal);
    case "clean-up":
      return node.migrations.cleanUp(vmHash, signal);
  }
}

process.on("message", (request: SequenceRequest) => {
  const answer = (result: Omit<SequenceAnswer, "id">): void => {
    process.send?.({ id: request.id, ...result });
  };
  perform(request).then(
    () => answer({ error: null }),
    (error: { readonly code?: unknown; readonly message?: unknown }) => {
      // A refusal has a code; anything else is a defect, which ends the process.
      if (typeof error.code !== "string") throw error;
      answer({ error: error.code });
    },
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, error: null });
