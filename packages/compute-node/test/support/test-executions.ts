import type { DatabaseSync } from "node:sqlite";
import { createMemoryLogger, createVirtualTime, type VirtualTime } from "@twentysix/platform";
import {
  createExecutions,
  type ExecutionsOptions,
  type ExecutionsSettings,
  type RunningExecutions,
} from "../../src/executions/create-executions.ts";
import { openExecutionsDatabase } from "../../src/executions/database.ts";
import { ExecutionStore } from "../../src/executions/execution-store.ts";
import type { VmRunner } from "../../src/executions/vm-runner.ts";
import type { FakeHost } from "./fake-host.ts";

const SETTINGS: ExecutionsSettings = {
  limits: {
    prepareTimeoutMs: 600_000,
    startTimeoutMs: 120_000,
    stopTimeoutMs: 60_000,
    eraseTimeoutMs: 60_000,
  },
  maxParallelStarts: 2,
  contactMaxAgeMs: 15_000,
  leaseMs: 20_000,
  leaseRenewalPeriodMs: 5_000,
  takenOverAfterMs: 60_000,
  recordRetentionMs: 30 * 86_400_000,
  stoppedRetentionMs: 7 * 86_400_000,
  idleProgramRetentionMs: 86_400_000,
};

export interface TestExecutions extends RunningExecutions {
  readonly database: DatabaseSync;
  readonly time: VirtualTime;
  readonly log: ReturnType<typeof createMemoryLogger>;
}

/** Executions over a fake host, in virtual time; `path` may hold those of a node that is gone. */
export function openTestExecutions(
  host: FakeHost,
  path = ":memory:",
  time: VirtualTime = createVirtualTime(1_700_000_000_000_000n),
  runner: VmRunner = host.runner,
  freeMib: () => number = () => 50_000,
  onStartFailed?: ExecutionsOptions["onStartFailed"],
): TestExecutions {
  const database = openExecutionsDatabase(path);
  const log = createMemoryLogger();
  const store = new ExecutionStore(database, time.clock);
  const executions = createExecutions({
    store,
    hypervisor: host.hypervisor,
    runners: { program: runner, instance: runner },
    resolveFiles: async (content) => content,
    assertRequirements: () => {},
    networkOf: () => null,
    portsOf: () => [],
    admission: {
      host: { cpus: 4, memoryMib: 16_384 },
      settings: {
        hostMemoryReservedMib: null,
        programMemoryReservedMib: null,
        vcpuOvercommit: 4,
        diskReservedMib: 0,
      },
      measureDisk: async () => ({ totalMib: 100_000, freeMib: freeMib(), usedMib: new Map() }),
    },
    clock: time.clock,
    timers: time.timers,
    log,
    settings: SETTINGS,
    onStartFailed,
  });
  return { ...executions, database, time, log };
}
