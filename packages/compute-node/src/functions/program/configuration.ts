import { readFile } from "node:fs/promises";
import type { JsonObject, ProgramContent } from "@twentysix/protocol";
import type { VmNetwork } from "../../networking/vm-network.ts";
import { hashLabel } from "../http/hash-label.ts";
import { CODE_MOUNT, type PlacedDrives, type ProgramDrive } from "./program-disks.ts";
import type { ProgramFiles } from "./program-files.ts";
import type { ProgramPlan } from "./program-plan.ts";

export interface ConfigurationParts {
  readonly vmHash: string;
  readonly content: ProgramContent;
  readonly plan: ProgramPlan;
  readonly files: ProgramFiles;
  readonly drives: readonly ProgramDrive[];
  readonly placed: PlacedDrives;
  /** null: none, or one of QEMU's own, which the guest has set up already. */
  readonly network: VmNetwork | null;
  readonly dnsServers: readonly string[];
}

/** What our agent is told of the program that it shall run. */
export async function configurationOf(parts: ConfigurationParts): Promise<JsonObject> {
  const { vmHash, content, plan, files, drives, placed } = parts;
  const codeDrive = drives.find(({ mount }) => plan.code.isImage && mount === CODE_MOUNT);
  return {
    vmHash,
    interface: plan.interface,
    encoding: content.code.encoding,
    entrypoint: content.code.entrypoint,
    args: content.code.args ?? [],
    codeBase64: plan.code.isImage ? null : await base64Of(files.code.path),
    codeDevice: codeDrive === undefined ? null : placed.deviceOf(codeDrive),
    dataBase64: files.data === null ? null : await base64Of(files.data.path),
    volumes: drives.filter((drive) => drive !== codeDrive).map((drive) => volumeOf(drive, placed)),
    variables: content.variables ?? {},
    network: networkOf(parts),
    authorizedKeys: content.authorized_keys ?? [],
    hostname: hashLabel(vmHash),
    wantsLifespan: true,
  };
}

async function base64Of(path: string): Promise<string> {
  return (await readFile(path)).toString("base64");
}

function volumeOf(drive: ProgramDrive, placed: PlacedDrives): JsonObject {
  const { mount, isReadOnly } = drive;
  return {
    mount,
    device: placed.deviceOf(drive),
    readOnly: isReadOnly,
    fs: isReadOnly ? "squashfs" : "ext4",
    sizeMib: null,
  };
}

function networkOf({ network, dnsServers }: ConfigurationParts): JsonObject | null {
  if (network?.spec.kind !== "tap") return null;
  const { addresses } = network;
  return {
    ip: addresses.guestIpv4,
    prefix: Number(addresses.ipv4Network.split("/")[1] ?? 24),
    gateway: addresses.hostIpv4,
    dns: [...dnsServers],
    ipv6: addresses.guestIpv6,
    ipv6Gateway: addresses.hostIpv6,
  };
}
