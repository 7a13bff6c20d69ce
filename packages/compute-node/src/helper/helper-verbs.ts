import { type Static, type TObject, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { HypervisorError } from "../hypervisor/errors.ts";
import type { HelperContext } from "./helper-context.ts";
import { HELPER_PROTOCOL, type HelperGreeting, type MachineFacts } from "./helper-protocol.ts";
import type { HostVerb } from "./host-parts.ts";
import { takeInventory } from "./inventory.ts";
import type { Machine } from "./machine.ts";
import type { Machines } from "./machines.ts";
import { Forward, VmHash } from "./spec-check.ts";
import { setForwards } from "./user-forwards.ts";

const MAX_GRACE_MS = 600_000;
const LaunchId = Type.String({ pattern: "^[0-9a-f-]{8,64}$" });
const OneMachine = Type.Object({ vmHash: VmHash });

/** What the helper answers, with what its parts add. */
export function helperVerbs(machines: Machines, context: HelperContext): ReadonlyMap<string, HostVerb> {
  const own: Record<string, HostVerb> = {
    hello: (_, signal) => greeting(context, signal),
    launch: verb(
      Type.Object({ spec: Type.Unknown(), launchId: LaunchId }),
      async ({ spec, launchId }, signal) => factsOf(await machines.launch(spec, launchId, signal)),
    ),
    list: async () => machines.list().map(factsOf),
    find: verb(OneMachine, async ({ vmHash }) => {
      const machine = await machines.find(vmHash);
      return machine === null ? null : factsOf(machine);
    }),
    renew: verb(OneMachine, async ({ vmHash }) => {
      const machine = machines.get(vmHash);
      machine.renewLease();
      return machine.leaseEndsAtMs;
    }),
    kill: verb(OneMachine, async ({ vmHash }) => machines.get(vmHash).end("killed")),
    shutDown: verb(
      Type.Object({ vmHash: VmHash, graceMs: Type.Integer({ minimum: 0, maximum: MAX_GRACE_MS }) }),
      async ({ vmHash, graceMs }, signal) => machines.get(vmHash).shutDown(graceMs, signal),
    ),
    setForwards: verb(
      Type.Object({ vmHash: VmHash, forwards: Type.Array(Forward, { maxItems: 256 }) }),
      async ({ vmHash, forwards }, signal) => setForwards(machines.get(vmHash), forwards, signal),
    ),
    exitOf: verb(Type.Object({ launchId: LaunchId }), async ({ launchId }) =>
      context.records.exitOf(launchId),
    ),
    forget: verb(OneMachine, async ({ vmHash }) => machines.forget(vmHash)),
    inventory: (_, signal) => takeInventory(context.dir, context.parts, signal),
  };
  const all = new Map(Object.entries(own));
  for (const part of context.parts) {
    for (const [name, handler] of Object.entries(part.verbs)) {
      if (all.has(name)) throw new RangeError(`two parts of the helper answer ${name}`);
      all.set(name, handler);
    }
  }
  return all;
}

/** A handler whose parameters are checked before it runs. */
function verb<Schema extends TObject>(
  schema: Schema,
  handle: (parameters: Static<Schema>, signal: AbortSignal) => Promise<unknown>,
): HostVerb {
  const compiled = TypeCompiler.Compile(schema);
  return (parameters, signal) => {
    if (compiled.Check(parameters)) return handle(parameters, signal);
    const problem = compiled.Errors(parameters).First();
    throw new HypervisorError(
      "HELPER_REFUSED",
      `a request has wrong parameters: ${problem?.path}: ${problem?.message}`,
    );
  };
}

async function greeting(context: HelperContext, signal: AbortSignal): Promise<HelperGreeting> {
  const { isRoot, parts, userInternet, vsock } = context;
  const { accelerator, missing, hasSev = false, slowness } = await context.abilities(signal);
  const users = isRoot
    ? {}
    : { "machine-users": "machines run as the node's own user: the helper is not root" };
  const { problem } = userInternet;
  const internet = problem === null ? {} : { "user-internet": problem };
  const noVsock = vsock.problem === null ? {} : { vsock: vsock.problem };
  const all = Object.assign(
    {},
    missing,
    users,
    internet,
    noVsock,
    ...parts.map((part) => part.missing),
  ) as Record<string, string>;
  const hasVsock = vsock.problem === null;
  const capabilities = { accelerator, missing: all, hasVsock, hasSev, slowness };
  return { protocol: HELPER_PROTOCOL, pid: process.pid, isRoot, capabilities };
}

function factsOf(machine: Machine): MachineFacts {
  const { spec, launchId, process: identity, startedAtMs, runDir, userId } = machine.record;
  return {
    vmHash: spec.vmHash,
    vmNumber: spec.vmNumber,
    pid: identity.pid,
    startedAtMs,
    leaseEndsAtMs: machine.leaseEndsAtMs,
    launchId,
    runDir,
    templateFolder: spec.snapshot?.kind === "template" ? spec.snapshot.folder : null,
    userId,
  };
}
