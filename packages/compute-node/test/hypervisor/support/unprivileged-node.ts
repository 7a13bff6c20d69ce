import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createMemoryLogger, createSystemTimers } from "@twentysix/platform";
import { HelperHypervisor } from "../../../src/hypervisor/helper-hypervisor.ts";
import type { VmSpec } from "../../../src/hypervisor/vm-spec.ts";
import { Guest } from "./guest.ts";

/**
 * A node as a process of its own, under a user without rights: `node unprivileged-node.ts FOLDER SPEC`. It makes a
 * template and continues from it, and writes what it saw as JSON.
 */
const [, , dir = "", text = ""] = process.argv;
const signal = AbortSignal.timeout(120_000);
const timers = createSystemTimers();
using hypervisor = await HelperHypervisor.open(
  { dir, command: null, timers, log: createMemoryLogger() },
  signal,
);
const spec = JSON.parse(text) as VmSpec;
const folder = join(dir, "template");
mkdirSync(folder);
const template = await hypervisor.start({ ...spec, snapshot: { kind: "template", folder } }, signal);
{
  using guest = await Guest.connect(template);
  await guest.booted();
}
await template.saveTemplate(signal);
const vm = await hypervisor.start({ ...spec, snapshot: { kind: "resume", folder } }, signal);
using guest = await Guest.connect(vm);
const answer = await guest.run("echo hello");
const seen = {
  userId: process.getuid?.(),
  answer,
  log: readFileSync(join(vm.runDir, "serial.log"), "utf8").length >= 0,
  vmUser: /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${vm.pid}/status`, "utf8"))?.[1],
  exit: (await vm.kill()).reason,
};
await hypervisor.forget(vm.vmHash, signal);
process.stdout.write(JSON.stringify({ ...seen, isForgotten: !existsSync(vm.runDir) }));
