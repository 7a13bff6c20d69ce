import { isIP } from "node:net";
import { isPublicAddress } from "@twentysix/platform";
import type { NodeCapabilities, NodeHeadroom, NodeReport } from "../model/node.ts";
import type { GpuDevice } from "../model/vm.ts";
import { at, isLoose, numberOf, textOf, textsOf } from "./json-reading.ts";

const BYTES_PER_MIB = 1024 * 1024;
const MAX_GPUS = 32;
/** Of names of processors, devices and versions: anybody may register nodes that say what they like. */
const MAX_NAME = 128;
const MAX_FEATURE = 64;

/** Reads `/about/usage/system`: kilobytes of 1,000 bytes become MiB; what is missing is null. */
export function readNodeReport(json: unknown): NodeReport {
  const devices = gpusOf(at(json, "gpu", "devices"));
  return {
    vcpus: integerOf(at(json, "cpu", "count")),
    memoryMib: mibOfKilobytes(at(json, "mem", "total_kB")),
    diskMib: mibOfKilobytes(at(json, "disk", "total_kB")),
    freeDiskMib: mibOfKilobytes(at(json, "disk", "available_kB")),
    cpuArchitecture: nameOf(at(json, "properties", "cpu", "architecture")),
    cpuVendor: nameOf(at(json, "properties", "cpu", "vendor")),
    cpuFeatures: featuresOf(at(json, "properties", "cpu", "features")),
    gpus: devices,
    freeGpus: gpusOf(at(json, "gpu", "available_devices")),
    headroom: headroomOf(at(json, "head_room")),
    vcpuTypes: featuresOf(at(json, "properties", "tee", "sev_snp", "supported_vcpu_types")),
    country: nameOf(at(json, "properties", "location", "country")),
    asn: integerOf(at(json, "properties", "location", "asn")),
  };
}

/** Reads `/status/config`. */
export function readNodeCapabilities(json: unknown): NodeCapabilities {
  const pool = nameOf(at(json, "networking", "IPV6_ADDRESS_POOL"));
  const policy = nameOf(at(json, "networking", "IPV6_ALLOCATION_POLICY"));
  return {
    hasConfidential: at(json, "computing", "ENABLE_CONFIDENTIAL_COMPUTING") === true,
    hasQemu: at(json, "computing", "ENABLE_QEMU_SUPPORT") === true,
    hasGpu: at(json, "computing", "ENABLE_GPU_SUPPORT") === true,
    ipv6Pool: pool,
    isIpv6Public: pool !== null && isPublicPool(pool),
    isIpv6Static: policy?.toLowerCase().includes("static") === true,
    paymentReceiver: nameOf(at(json, "payment", "PAYMENT_RECEIVER_ADDRESS")),
    version: nameOf(at(json, "version")),
    priceFactor: numberOf(at(json, "payment", "PRICE_FACTOR")),
  };
}

/** Whether guests get addresses of this pool that anybody can reach: a public /64 or /56. */
export function isPublicPool(pool: string): boolean {
  const [address = "", prefix = "", ...rest] = pool.split("/");
  return rest.length === 0 && isIP(address) === 6 && /^(?:64|56)$/.test(prefix) && isPublicAddress(address);
}

function headroomOf(value: unknown): NodeHeadroom | null {
  const vcpus = integerOf(at(value, "vcpus"));
  const instanceMemoryMib = integerOf(at(value, "instance_memory_mib"));
  const programMemoryMib = integerOf(at(value, "program_memory_mib"));
  const diskMib = integerOf(at(value, "disk_mib"));
  if (vcpus === null || instanceMemoryMib === null || programMemoryMib === null || diskMib === null)
    return null;
  return { vcpus, instanceMemoryMib, programMemoryMib, diskMib };
}

function gpusOf(value: unknown): readonly GpuDevice[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_GPUS).flatMap((device: unknown): GpuDevice[] => {
    const deviceId = nameOf(at(device, "device_id"));
    if (!isLoose(device) || deviceId === null) return [];
    return [
      {
        vendor: nameOf(at(device, "vendor")) ?? "",
        model: nameOf(at(device, "model")) ?? "",
        deviceName: nameOf(at(device, "device_name")) ?? "",
        deviceClass: nameOf(at(device, "device_class")) ?? "",
        deviceId,
      },
    ];
  });
}

function nameOf(value: unknown): string | null {
  const text = textOf(value);
  return text === null || text.length > MAX_NAME ? null : text;
}

const featuresOf = (value: unknown): readonly string[] =>
  textsOf(value).filter((text) => text.length <= MAX_FEATURE);

const integerOf = (value: unknown): number | null => {
  const number = numberOf(value);
  return number === null ? null : Math.floor(number);
};

function mibOfKilobytes(value: unknown): number | null {
  const kilobytes = numberOf(value);
  return kilobytes === null ? null : Math.floor((kilobytes * 1_000) / BYTES_PER_MIB);
}
