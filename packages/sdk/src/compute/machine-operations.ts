import { decodeUtf8 } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { request } from "../http/request.ts";
import type { MachineKey, MachineOperation } from "./machine-key.ts";

export interface MachineOperationParameters {
  readonly key: MachineKey;
  /** Of the machine's message. */
  readonly itemHash: string;
  /** Bound on the whole operation, a stop in order included; three minutes by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 180_000;

/** Host name of a compute node, as its owners sign it. */
export const domainOf = ({ apiUrl }: Pick<Connection, "apiUrl">): string =>
  new URL(apiUrl).hostname.replaceAll(/[[\]]/g, "");

/**
 * Starts a machine that its owner has stopped. Gives what the node says.
 *
 * The connection is one to the compute node. Errors: those of `request`; 403 as SDK_HTTP_ERROR for whoever is not the
 * owner.
 */
export const startMachine = (
  connection: Connection,
  parameters: MachineOperationParameters,
): Promise<string> => operate(connection, parameters, "start");

/**
 * Stops a machine; its disks stay. Nodes that know how keep it stopped until its owner starts it, also when a stranger
 * announces it; unless `isStartedByAnyone`, for those whose other client starts machines by unsigned announcements.
 * Errors: as `startMachine`.
 */
export const stopMachine = (
  connection: Connection,
  {
    isStartedByAnyone = false,
    ...parameters
  }: MachineOperationParameters & { readonly isStartedByAnyone?: boolean },
): Promise<string> =>
  operate(
    connection,
    parameters,
    "stop",
    new URLSearchParams({ until_owner_starts: String(!isStartedByAnyone) }),
  );

/** Stops a machine where it runs, and starts it. Errors: as `startMachine`. */
export const rebootMachine = (
  connection: Connection,
  parameters: MachineOperationParameters,
): Promise<string> => operate(connection, parameters, "reboot");

/** Stops a machine and removes every trace of it from the node. Errors: as `startMachine`. */
export const eraseMachine = (
  connection: Connection,
  parameters: MachineOperationParameters,
): Promise<string> => operate(connection, parameters, "erase");

/** Makes the root file system anew, and volumes too unless told otherwise. Errors: as `startMachine`. */
export const reinstallMachine = (
  connection: Connection,
  { keepsVolumes = false, ...parameters }: MachineOperationParameters & { readonly keepsVolumes?: boolean },
): Promise<string> =>
  operate(connection, parameters, "reinstall", new URLSearchParams({ erase_volumes: String(!keepsVolumes) }));

/** Stops a machine after some time. Errors: as `startMachine`. */
export const expireMachine = (
  connection: Connection,
  { timeoutSeconds, ...parameters }: MachineOperationParameters & { readonly timeoutSeconds: number },
): Promise<string> =>
  operate(connection, parameters, "expire", undefined, JSON.stringify({ timeout: timeoutSeconds }));

async function operate(
  connection: Connection,
  { key, itemHash, timeoutMs = TIMEOUT_MS, signal }: MachineOperationParameters,
  name: string,
  query?: URLSearchParams,
  body?: string,
): Promise<string> {
  const path = machinePath(itemHash, name);
  const headers = await key.sign({ method: "POST", domain: domainOf(connection), path });
  const answer = await request(connection, {
    method: "POST",
    path,
    query,
    ...(body === undefined ? {} : { body }),
    headers,
    // Signed for one use: a node does not take it twice.
    retries: 0,
    timeoutMs,
    signal,
  });
  return decodeUtf8(answer.bytes) ?? "";
}

/** Route of an operation on a machine. */
export function machinePath(itemHash: string, name: string): MachineOperation["path"] {
  return `/control/machine/${encodeURIComponent(itemHash)}/${name}`;
}
