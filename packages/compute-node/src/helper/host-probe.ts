import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import type { Logger } from "@twentysix/platform";
import type { HostFacts } from "../hypervisor/command-line/host-facts.ts";
import type { HypervisorCapabilities } from "../hypervisor/hypervisor.ts";
import { findProgram } from "./find-program.ts";
import { readKept } from "./kept-json.ts";
import { kvmRefusal, openKvmToMachines, openToMachines } from "./kvm-device.ts";
import { type ProbeBoot, type ProbeBootOptions, probeBoot } from "./probe-boot.ts";
import { findSev, SEV_PATHS } from "./sev-host.ts";

/** What this host can do, found by trying. */
export interface HostAbilities extends Omit<HypervisorCapabilities, "hasVsock">, HostFacts {}

export interface HostProbeOptions extends Omit<ProbeBootOptions, "accelerator"> {
  /** Where the outcome is kept: trying takes seconds, and as long as the limit where `/dev/kvm` hangs. */
  readonly file: string;
  readonly log: Logger;
}

const KVM_LIMIT_MS = 15_000;
const TCG_LIMIT_MS = 45_000;
/** The kernel has come to its first process. */
const BOOTED = /Run \/init as init process/;
/** Measured by the guest against a clock of its board, over a second: exact to some millionths. */
const TSC_LINE = /tsc: Refined TSC clocksource calibration: (\d+)\.(\d{3}) MHz/;
/** The first, coarse measurement: what there is when a busy host disturbs the other. */
const COARSE_TSC_LINE = /tsc: Detected (\d+)\.(\d{3}) MHz processor/;
const TSC_PATIENCE_MS = 6_000;
/** Of boots under emulation, measured against those on hardware. */
const TCG_SLOWNESS = 10;

/** Finds the abilities of a host once, and remembers them for as long as kernel, QEMU and processor are the same. */
export class HostProbe {
  readonly #options: HostProbeOptions;
  #known: HostAbilities | null = null;
  #running: Promise<HostAbilities> | null = null;

  constructor(options: HostProbeOptions) {
    this.#options = options;
  }

  /** Where there are no images to boot yet, it answers with what is certain, and tries the next time. */
  async abilities(signal: AbortSignal): Promise<HostAbilities> {
    if (this.#known !== null) return this.#known;
    this.#running ??= this.#find(signal).finally(() => {
      this.#running = null;
    });
    return await this.#running;
  }

  async #find(signal: AbortSignal): Promise<HostAbilities> {
    const { qemuProgram, images, file, log } = this.#options;
    const program = findProgram(qemuProgram);
    if (program === null)
      return emulated(null, { qemu: `${qemuProgram} is not installed: run npm run setup` });
    if (!existsSync(images.kernelPath) || !existsSync(images.initrdPath)) {
      return emulated(null, {
        kvm: `there is no kernel at ${images.kernelPath} to try it with: a node builds it, or twentysix image build`,
      });
    }
    const key = keyOf(program, images.kernelPath);
    const remembered = recall(file, key);
    if (remembered !== null) {
      this.#known = this.#withSev(remembered);
      return this.#known;
    }
    const found = await this.#try(signal);
    log.info("this host was tried", { ...found });
    writeFileSync(`${file}.tmp`, JSON.stringify({ key, abilities: found }), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
    this.#known = this.#withSev(found);
    return this.#known;
  }

  /** Looked up each time: it takes no guest to find out. */
  #withSev(abilities: HostAbilities): HostAbilities {
    const { isRoot } = this.#options;
    const { facts, problem } = findSev(abilities.accelerator, isRoot);
    if (facts !== null) openToMachines(SEV_PATHS.device, isRoot);
    const missing = problem === null ? abilities.missing : { ...abilities.missing, sev: problem };
    return { ...abilities, missing, hasSev: facts !== null, sev: facts };
  }

  async #try(signal: AbortSignal): Promise<HostAbilities> {
    const kvm = await this.#tryKvm(signal);
    if (kvm.match !== null) {
      return { accelerator: "kvm", tscKhz: null, missing: {}, slowness: 1 };
    }
    const awaited = { line: TSC_LINE, after: BOOTED, patienceMs: TSC_PATIENCE_MS };
    const tcg = await probeBoot({ ...this.#options, accelerator: "tcg" }, awaited, TCG_LIMIT_MS, signal);
    const missing = { kvm: kvm.problem };
    const measured = tcg.match ?? COARSE_TSC_LINE.exec(tcg.said);
    if (measured === null) return emulated(null, { ...missing, emulation: tcg.problem });
    return emulated(Number(measured[1]) * 1_000 + Number(measured[2]), missing);
  }

  async #tryKvm(signal: AbortSignal): Promise<ProbeBoot> {
    const refusal = kvmRefusal();
    if (refusal !== null) return { match: null, problem: refusal, said: "" };
    const takeBack = openKvmToMachines(this.#options.isRoot);
    const outcome = await probeBoot(
      { ...this.#options, accelerator: "kvm" },
      { line: BOOTED },
      KVM_LIMIT_MS,
      signal,
    );
    if (outcome.match === null) takeBack();
    return outcome;
  }
}

function emulated(tscKhz: number | null, missing: Readonly<Record<string, string>>): HostAbilities {
  return {
    accelerator: "tcg",
    tscKhz: tscKhz ?? shownTscKhz(),
    missing,
    slowness: TCG_SLOWNESS,
  };
}

/** What the kernel shows of the processor: its frequency now, which on most machines is that of the counter. */
function shownTscKhz(): number | null {
  const megahertz = /^cpu MHz\s*:\s*([\d.]+)/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
  return megahertz === undefined ? null : Math.round(Number(megahertz) * 1_000);
}

/** Changed with what is told of a host: what was found before says it in other words. */
const MEANING = 3;

function keyOf(program: string, kernelPath: string): string {
  const files = [program, kernelPath].map((path) => {
    const { size, mtimeMs } = statSync(path);
    return [path, size, mtimeMs];
  });
  const kvm = kvmRefusal() ?? "present";
  const facts = [MEANING, files, release(), cpus()[0]?.model ?? "", kvm];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

function recall(file: string, key: string): HostAbilities | null {
  const kept = readKept<{ readonly key: string; readonly abilities: HostAbilities }>(file);
  return kept?.key === key ? kept.abilities : null;
}
