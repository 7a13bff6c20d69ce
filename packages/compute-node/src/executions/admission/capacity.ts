/** What this host has, and how much of it machines may take. MiB are 2^20 bytes. */
export interface HostCapacity {
  readonly cpus: number;
  readonly memoryMib: number;
}

export interface CapacitySettings {
  /** For the host itself; null: a tenth of its memory, 256 to 2,048 MiB. */
  readonly hostMemoryReservedMib: number | null;
  /** For programs, kept from instances; null: 15 % of the memory, 512 to 8,192 MiB. */
  readonly programMemoryReservedMib: number | null;
  /** Virtual processors for each real one. */
  readonly vcpuOvercommit: number;
  /** For backups, downloads and migrations; null: a twentieth of the disk, at most 10 GiB. */
  readonly diskReservedMib: number | null;
}

export interface CapacityLimits {
  readonly instanceMemoryMib: number;
  readonly programMemoryMib: number;
  readonly vcpus: number;
}

/**
 * The reference keeps 2 + 8 GiB from instances whatever the host has, so that one of 10 GiB takes none at all.
 * Source: aleph-vm `resources.py`.
 */
export function capacityLimits(host: HostCapacity, settings: CapacitySettings): CapacityLimits {
  const hostMib = settings.hostMemoryReservedMib ?? clamp(Math.round(host.memoryMib * 0.1), 256, 2_048);
  const programMib =
    settings.programMemoryReservedMib ?? clamp(Math.round(host.memoryMib * 0.15), 512, 8_192);
  return {
    instanceMemoryMib: Math.max(host.memoryMib - hostMib - programMib, 0),
    programMemoryMib: Math.max(Math.min(programMib, host.memoryMib - hostMib), 0),
    vcpus: Math.floor(host.cpus * settings.vcpuOvercommit),
  };
}

export function reservedDiskMib(totalMib: number, { diskReservedMib }: CapacitySettings): number {
  return diskReservedMib ?? Math.min(Math.round(totalMib / 20), 10_240);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
