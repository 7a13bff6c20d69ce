import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createDeferred } from "@twentysix/platform";
import { QMP_SOCKETS } from "../hypervisor/command-line/qemu-arguments.ts";
import type { VmExit } from "../hypervisor/hypervisor.ts";
import { QmpClient, type QmpEvent } from "../hypervisor/qmp/qmp-client.ts";
import type { HelperContext } from "./helper-context.ts";
import { isAlive, signalProcess, uptimeMs } from "./host-processes.ts";
import { isDiskFull } from "./lease-watchdog.ts";
import { rotateLog, tailOf } from "./log-files.ts";
import type { MachineRecord } from "./machine-record.ts";
import { clearRunFolder } from "./run-folder.ts";

/** After it was asked to end: a QEMU that does not answer is killed. */
const TERMINATION_MS = 2_000;
const SHOWN_LOG_BYTES = 500;
/** Guests that shut down pay no heed to another press. */
const PRESS_PERIOD_MS = 3_000;
/** Between two tries of a machine whose disk found no room on the host: QEMU pauses it, and writes again as it goes on. */
const ROOM_PERIOD_MS = 10_000;

/** One machine under watch, whoever started its process. */
export class Machine {
  readonly #context: HelperContext;
  readonly #exited = createDeferred<VmExit>();
  #record: MachineRecord;
  #isWritten: boolean;
  #qmp: QmpClient | null = null;
  /** What QEMU said about why it ends. */
  #shutdownReason: string | null = null;
  #processEnd = "";
  #pressedAtUptimeMs = 0;
  #terminatedAtUptimeMs: number | null = null;
  /** QEMU has paused it. */
  #withoutRoomAtUptimeMs: number | null = null;
  #finishing: Promise<void> | null = null;

  constructor(record: MachineRecord, context: HelperContext, child: ChildProcess | null) {
    this.#record = record;
    // One without a child was found by its record.
    this.#isWritten = child === null;
    this.#context = context;
    child?.once("exit", (code, signal) => {
      this.#processEnd = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      void this.#finish();
    });
  }

  get record(): MachineRecord {
    return this.#record;
  }

  get exited(): Promise<VmExit> {
    return this.#exited.promise;
  }

  get hasEnded(): boolean {
    return this.#exited.settled;
  }

  /** Its process is gone; what it had on the host goes. */
  get isEnding(): boolean {
    return this.#finishing !== null;
  }

  get leaseEndsAtMs(): number | null {
    const { leaseEndsAtUptimeMs } = this.#record;
    if (leaseEndsAtUptimeMs === null) return null;
    return this.#context.nowMs() + leaseEndsAtUptimeMs - uptimeMs();
  }

  /** Connects to the machine's protocol; used by one at a time. */
  async connect(signal: AbortSignal): Promise<QmpClient> {
    if (this.#qmp?.isOpen) return this.#qmp;
    this.#qmp = await QmpClient.connect(
      {
        path: join(this.#record.runDir, QMP_SOCKETS.helper),
        timers: this.#context.timers,
        onEvent: (event) => this.#note(event),
      },
      signal,
    );
    // Nobody may have listened when it was paused.
    const { status } = await this.#qmp.execute<{ readonly status: string }>("query-status", {}, signal);
    if (status === "io-error") this.#withoutRoomAtUptimeMs ??= uptimeMs();
    return this.#qmp;
  }

  /** It goes on, and nobody here looks after it any more. */
  release(): void {
    this.#qmp?.close();
  }

  update(changes: Partial<MachineRecord>): void {
    this.#record = { ...this.#record, ...changes };
    const { spec, process: identity, leaseEndsAtUptimeMs } = this.#record;
    if (leaseEndsAtUptimeMs !== null) this.#context.leases.write(spec.vmHash, identity, leaseEndsAtUptimeMs);
    this.#writeDown();
  }

  /** What runs and is written down can be looked after, and ended, also while the disk is full. */
  #writeDown(): void {
    const { records, log } = this.#context;
    try {
      records.write(this.#record);
      this.#isWritten = true;
    } catch (error) {
      if (!this.#isWritten || !isDiskFull(error)) throw error;
      const { vmHash } = this.#record.spec;
      log.warn("the disk is full: the record of a machine is not up to date", { vmHash });
    }
  }

  renewLease(): void {
    const { leaseMs } = this.#record.spec;
    if (leaseMs !== null) this.update({ leaseEndsAtUptimeMs: uptimeMs() + leaseMs });
  }

  /** From now on it is to end, for this reason unless there is an earlier one. */
  end(reason: VmExit["reason"]): void {
    if (this.#record.ending === null || this.#record.ending.atUptimeMs > uptimeMs()) {
      this.update({ ending: { atUptimeMs: uptimeMs(), reason } });
    }
    this.#terminate();
  }

  /**
   * Asks its guest to shut down, again and again: one that boots does not hear of it yet. What still runs after the time
   * is killed.
   */
  async shutDown(graceMs: number, signal: AbortSignal): Promise<void> {
    this.update({ ending: { atUptimeMs: uptimeMs() + graceMs, reason: "killed" } });
    await this.#pressButton(signal);
  }

  /** What is due now: called every fraction of a second. */
  check(): void {
    if (this.hasEnded) return;
    if (!isAlive(this.#record.process)) {
      void this.#finish();
      return;
    }
    const now = uptimeMs();
    const { leaseEndsAtUptimeMs, ending } = this.#record;
    if (ending !== null && ending.atUptimeMs <= now) this.#terminate();
    else if (ending !== null && now - this.#pressedAtUptimeMs >= PRESS_PERIOD_MS) this.#pressAgain();
    else if (leaseEndsAtUptimeMs !== null && leaseEndsAtUptimeMs <= now) this.end("lease-expired");
    const withoutRoomMs = now - (this.#withoutRoomAtUptimeMs ?? now);
    if (withoutRoomMs >= ROOM_PERIOD_MS) this.#goOn();
  }

  #goOn(): void {
    // It tells again when there is still no room.
    this.#withoutRoomAtUptimeMs = null;
    const limit = AbortSignal.timeout(ROOM_PERIOD_MS);
    const goOn = async (): Promise<void> => {
      const qmp = await this.connect(limit);
      await qmp.execute("cont", {}, limit);
    };
    goOn().catch((error: unknown) => {
      this.#withoutRoomAtUptimeMs ??= uptimeMs();
      const { vmHash } = this.#record.spec;
      this.#context.log.warn("a machine that was paused could not go on", { vmHash, error });
    });
  }

  async #pressButton(signal: AbortSignal): Promise<void> {
    this.#pressedAtUptimeMs = uptimeMs();
    const qmp = await this.connect(signal);
    await qmp.execute("system_powerdown", {}, signal);
  }

  #pressAgain(): void {
    this.#pressButton(AbortSignal.timeout(PRESS_PERIOD_MS)).catch((error: unknown) => {
      // It may be on its way out: its time to end goes on in any case.
      const { vmHash } = this.#record.spec;
      this.#context.log.debug("a machine could not be asked again to shut down", { vmHash, error });
    });
  }

  limitLogs(): void {
    for (const name of ["serial.log", "qemu.log"]) rotateLog(join(this.#record.runDir, name));
  }

  #terminate(): void {
    const now = uptimeMs();
    this.#terminatedAtUptimeMs ??= now;
    const isLate = now - this.#terminatedAtUptimeMs >= TERMINATION_MS;
    // One that has not started its guest has nothing to write back.
    const isHard = isLate || this.#record.phase === "starting";
    signalProcess(this.#record.process, isHard ? "SIGKILL" : "SIGTERM");
  }

  #note({ event, data }: QmpEvent): void {
    if (event === "SHUTDOWN") this.#shutdownReason = String(data.reason);
    if (event !== "BLOCK_IO_ERROR" || data.action !== "stop") return;
    this.#withoutRoomAtUptimeMs ??= uptimeMs();
    const { vmHash } = this.#record.spec;
    this.#context.log.warn("a machine is paused: its disk has no room on the host", { vmHash });
  }

  /** Its process is gone: what it had on this host goes as well, and whoever waits is told. */
  #finish(): Promise<void> {
    this.#finishing ??= this.#clean().catch((error: unknown) => {
      const { vmHash } = this.#record.spec;
      this.#context.log.error("what a machine left could not be removed", { vmHash, error });
      this.#exited.resolve({ reason: this.#exitReason(), detail: this.#processEnd });
    });
    return this.#finishing;
  }

  async #clean(): Promise<void> {
    const { spec, runDir, companion, vsockDevice = null } = this.#record;
    this.#qmp?.close();
    for (const each of [companion, vsockDevice]) if (each !== null) signalProcess(each, "SIGKILL");
    const exit: VmExit = { reason: this.#exitReason(), detail: this.#exitDetail() };
    for (const part of this.#context.parts) {
      await part.detach(spec).catch((error: unknown) => {
        this.#context.log.error("what a machine had on the host could not be removed", {
          part: part.name,
          vmHash: spec.vmHash,
          error,
        });
      });
    }
    clearRunFolder(runDir);
    this.#context.leases.remove(spec.vmHash);
    this.#context.records.finish(this.#record, exit);
    this.#exited.resolve(exit);
  }

  #exitReason(): VmExit["reason"] {
    const { ending } = this.#record;
    const isDue = ending !== null && ending.atUptimeMs <= uptimeMs();
    if (isDue && this.#shutdownReason !== "guest-shutdown") return ending.reason;
    switch (this.#shutdownReason) {
      case "guest-shutdown":
      case "guest-reset":
        return ending === null ? "guest-shutdown" : "stopped";
      case "host-qmp-quit":
        return "stopped";
      case "host-signal":
        return "killed";
      default:
        return this.#isLeaseOver() ? "lease-expired" : "failed";
    }
  }

  /** The watchdog of leases ended it, while no helper ran. */
  #isLeaseOver(): boolean {
    const { leaseEndsAtUptimeMs } = this.#record;
    return leaseEndsAtUptimeMs !== null && leaseEndsAtUptimeMs <= uptimeMs();
  }

  #exitDetail(): string {
    const said = tailOf(join(this.#record.runDir, "qemu.log"), SHOWN_LOG_BYTES);
    return [this.#shutdownReason, this.#processEnd, said].filter(Boolean).join("; ");
  }
}
