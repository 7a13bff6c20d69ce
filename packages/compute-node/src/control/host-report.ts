import { readFile, statfs } from "node:fs/promises";
import { arch, cpus, loadavg, networkInterfaces, totalmem } from "node:os";

/** What this host has and uses, as the API tells it. */
export interface HostReport {
  readonly cpu: CpuReport;
  load(): readonly [number, number, number];
  memory(): Promise<{ readonly totalBytes: number; readonly availableBytes: number }>;
  disk(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>;
}

export interface CpuReport {
  readonly architecture: "x86_64" | "arm64";
  /** `AuthenticAMD`, `GenuineIntel` …; empty where the processor does not say. */
  readonly vendor: string;
  readonly model: string;
  readonly count: number;
  /** 0 where the host exposes none. */
  readonly frequencyMhz: { readonly min: number; readonly max: number };
  /** Of confidential machines: `sev`, `sev_es`, `sev_snp`. */
  readonly features: readonly string[];
}

export async function readHostReport(vmsDir: string): Promise<HostReport> {
  const cpu = await readCpu();
  return {
    cpu,
    load() {
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return [one, five, fifteen];
    },
    async memory() {
      const info = await readText("/proc/meminfo");
      const availableKib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1] ?? 0);
      return { totalBytes: totalmem(), availableBytes: availableKib * 1_024 };
    },
    async disk() {
      const { bsize, blocks, bavail } = await statfs(vmsDir);
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
    },
  };
}

async function readCpu(): Promise<CpuReport> {
  const info = await readText("/proc/cpuinfo");
  const [first] = cpus();
  return {
    architecture: arch() === "arm64" ? "arm64" : "x86_64",
    vendor: /^vendor_id\s*:\s*(.+)$/m.exec(info)?.[1] ?? "",
    model: first?.model ?? "",
    count: cpus().length,
    frequencyMhz: await readFrequencies(first?.speed ?? 0),
    features: await readTeeFeatures(),
  };
}

const CPUFREQ = "/sys/devices/system/cpu/cpu0/cpufreq";

/** Virtual hosts expose none: what the processor says of itself stands in. */
async function readFrequencies(nowMhz: number): Promise<CpuReport["frequencyMhz"]> {
  const [min, max] = await Promise.all(
    ["cpuinfo_min_freq", "cpuinfo_max_freq"].map((name) => readText(`${CPUFREQ}/${name}`)),
  );
  return { min: Number(min) / 1_000 || nowMhz, max: Number(max) / 1_000 || nowMhz };
}

/** `Y`, or `1` on older kernels. */
async function readTeeFeatures(): Promise<readonly string[]> {
  const names = ["sev", "sev_es", "sev_snp"];
  const values = await Promise.all(names.map((name) => readText(`/sys/module/kvm_amd/parameters/${name}`)));
  return names.filter((_name, index) => /^[Y1]$/.test(values[index]?.trim() ?? ""));
}

/** Empty where the kernel has no such file. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}

/** First IPv4 address that others may reach. */
export function hostIpv4Of(interfaceName: string | null): string {
  const interfaces = networkInterfaces();
  const chosen =
    interfaceName === null ? Object.values(interfaces).flat() : (interfaces[interfaceName] ?? []);
  const outer = chosen.find((address) => address?.family === "IPv4" && !address.internal);
  return outer?.address ?? "127.0.0.1";
}
