import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "@twentysix/platform";
import {
  type ExportedFile,
  type ImportRequest,
  InstanceServiceError,
} from "../../control/instance-services.ts";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const MAX_FILES = 64;

const refused = (message: string): InstanceServiceError =>
  new InstanceServiceError("REQUEST_INVALID", message);

/** Checks the names of the files, which become names on this disk. @throws InstanceServiceError REQUEST_INVALID */
export function checkFiles({ vmHash, diskFiles }: ImportRequest): void {
  if (diskFiles.length === 0 || diskFiles.length > MAX_FILES) {
    throw refused(`disk_files must name 1 to ${MAX_FILES} files`);
  }
  const names = new Set<string>();
  for (const { name, sizeBytes, sha256, downloadPath } of diskFiles) {
    if (!NAME.test(name) || names.has(name))
      throw refused(`'${name}' is no plain file name, or is named twice`);
    names.add(name);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) throw refused(`the size of ${name} is none`);
    if (!SHA256.test(sha256)) throw refused(`the sha256 of ${name} is none`);
    if (downloadPath !== `/control/machine/${vmHash}/migration/disk/${name}`) {
      throw refused(`the download path of ${name} is not that of its disk`);
    }
  }
  if (!names.has(ROOTFS)) throw refused(`disk_files lacks ${ROOTFS}`);
}

export const ROOTFS = "rootfs.qcow2";

/** Where an import fetches from. */
export interface ImportSource {
  /** Without a slash at its end. */
  readonly url: string;
  /** What its name stood for when that was checked: later answers of name servers lead nowhere else. */
  readonly addresses: readonly LookupAddress[];
}

/**
 * The address of the source, after every address of its name was looked at: this node must not be led to call itself or
 * its neighbours. `allowsPrivate` in networks whose nodes have private addresses.
 *
 * @throws InstanceServiceError REQUEST_INVALID
 */
export async function importSource(request: ImportRequest, allowsPrivate: boolean): Promise<ImportSource> {
  const { sourceHost, sourcePort } = request;
  if (!/^[A-Za-z0-9.:[\]-]{1,253}$/.test(sourceHost)) throw refused("source_host is no host name");
  if (!Number.isInteger(sourcePort) || sourcePort < 1 || sourcePort > 65_535)
    throw refused("source_port is no port");
  const literal = sourceHost.replaceAll(/[[\]]/g, "");
  if (!allowsPrivate && /^localhost\.?$/i.test(literal))
    throw refused("source_host must not be this machine");
  const family = isIP(literal);
  const addresses = family === 0 ? await addressesOf(literal) : [{ address: literal, family }];
  for (const { address } of addresses) {
    if (!allowsPrivate && !isPublicAddress(address))
      throw refused(`source_host leads to ${address}, which is no public address`);
  }
  const host = family === 6 ? `[${literal}]` : literal;
  return { url: `${sourcePort === 443 ? "https" : "http"}://${host}:${sourcePort}`, addresses };
}

/** Answers every name with addresses that are known, for a connection. */
export function pinnedLookup(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (first === undefined) return callback(new Error("the source has no address"), "", 0);
    if (options.all !== true) return callback(null, first.address, first.family);
    (callback as unknown as (error: null, found: readonly LookupAddress[]) => void)(null, addresses);
  };
}

async function addressesOf(host: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookup(host, { all: true });
  } catch (error) {
    throw refused(`source_host cannot be resolved: ${(error as Error).message}`);
  }
}

export function totalBytes(files: readonly ExportedFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
