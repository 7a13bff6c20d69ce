import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "@twentysix/platform";
import { NetworkingError } from "./errors.ts";
import { isPortFree, type PortProbe } from "./port-probe.ts";
import type { MappedPort, PortMappings, WantedPort } from "./vm-network.ts";

export interface PortMappingOptions {
  /** Of the node; the table is made in it. */
  readonly database: DatabaseSync;
  readonly clock: Clock;
  /** First host port to give away: 24,000. Nodes of one host have ranges of their own. */
  readonly firstHostPort?: number;
  /** Last one: 65,534. */
  readonly lastHostPort?: number;
  readonly isPortFree?: PortProbe;
}

export const DEFAULT_FIRST_HOST_PORT = 24_000;
export const DEFAULT_LAST_HOST_PORT = 65_534;

/** Of what was given back, for whoever looks who had which port lately. */
const KEPT_DELETED = 1_000;

/** Table and columns of the reference, which soft-deletes too. Source: aleph-vm `orchestrator/metrics.py`. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS port_mappings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  vm_hash TEXT NOT NULL,
  vm_port INTEGER NOT NULL,
  host_port INTEGER NOT NULL,
  tcp INTEGER NOT NULL,
  udp INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS port_mappings_host_port ON port_mappings (host_port) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS port_mappings_vm_port ON port_mappings (vm_hash, vm_port) WHERE deleted_at IS NULL;
`;

interface MappingRow {
  readonly id: number;
  readonly vm_port: number;
  readonly host_port: number;
  readonly tcp: number;
  readonly udp: number;
}

/** The mappings of a node, in its database: they are the same after a restart. */
export function createPortMappings(options: PortMappingOptions): PortMappings {
  const { database, clock, isPortFree: probe = isPortFree } = options;
  const range = checkedRange(options);
  database.exec(SCHEMA);
  const statements = {
    ofVm: database.prepare(
      "SELECT id, vm_port, host_port, tcp, udp FROM port_mappings WHERE vm_hash = ? AND deleted_at IS NULL ORDER BY vm_port",
    ),
    used: database.prepare("SELECT 1 FROM port_mappings WHERE host_port = ? AND deleted_at IS NULL"),
    // Deleted ones count: a port that somebody just gave back is the last to be given away again.
    last: database.prepare(
      "SELECT host_port FROM port_mappings WHERE host_port BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
    ),
    insert: database.prepare(
      "INSERT INTO port_mappings (vm_hash, vm_port, host_port, tcp, udp, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    protocols: database.prepare("UPDATE port_mappings SET tcp = ?, udp = ? WHERE id = ?"),
    delete: database.prepare("UPDATE port_mappings SET deleted_at = ? WHERE id = ?"),
    prune: database.prepare(
      `DELETE FROM port_mappings WHERE deleted_at IS NOT NULL
        AND id <= (SELECT max(id) FROM port_mappings) - ${KEPT_DELETED}`,
    ),
    deleteVm: database.prepare(
      "UPDATE port_mappings SET deleted_at = ? WHERE vm_hash = ? AND deleted_at IS NULL",
    ),
  };
  const nowMs = (): number => Number(clock.nowMicros() / 1_000n);
  const rowsOf = (vmHash: string): MappingRow[] => statements.ofVm.all(vmHash) as unknown as MappingRow[];
  /** One machine after the other: a port is probed before it is written down. */
  let turn: Promise<unknown> = Promise.resolve();

  async function freePort(): Promise<number> {
    const count = range.last - range.first + 1;
    const lastRow = statements.last.get(range.first, range.last) as { host_port: number } | undefined;
    const start = lastRow === undefined ? 0 : lastRow.host_port + 1 - range.first;
    for (let step = 0; step < count; step += 1) {
      const port = range.first + ((start + step) % count);
      if (statements.used.get(port) === undefined && (await probe(port))) return port;
    }
    throw new NetworkingError(
      "NETWORK_PORTS_EXHAUSTED",
      `no port of this host from ${range.first} to ${range.last} is free: ` +
        "remove forwards or machines, or widen the range of host ports",
    );
  }

  async function assign(
    vmHash: string,
    wanted: readonly WantedPort[],
    replacesTaken: boolean,
  ): Promise<readonly MappedPort[]> {
    const wantedPorts = new Map(wanted.map((port) => [port.guestPort, port]));
    for (const row of rowsOf(vmHash)) {
      const port = wantedPorts.get(row.vm_port);
      const isKept = port !== undefined && !(replacesTaken && !(await probe(row.host_port)));
      if (!isKept) statements.delete.run(nowMs(), row.id);
      else {
        statements.protocols.run(Number(port.tcp), Number(port.udp), row.id);
        wantedPorts.delete(row.vm_port);
      }
    }
    for (const { guestPort, tcp, udp } of wantedPorts.values()) {
      const hostPort = await freePort();
      statements.insert.run(vmHash, guestPort, hostPort, Number(tcp), Number(udp), nowMs());
    }
    statements.prune.run();
    return rowsOf(vmHash).map(mappedPort);
  }

  return {
    of: (vmHash) => rowsOf(vmHash).map(mappedPort),
    assign(vmHash, wanted, { replacesTaken = false } = {}) {
      const result = turn.then(() => assign(vmHash, wanted, replacesTaken));
      // The next machine does not care how this one fared; its own caller is told.
      turn = result.catch(() => undefined);
      return result;
    },
    release(vmHash) {
      statements.deleteVm.run(nowMs(), vmHash);
      statements.prune.run();
    },
  };
}

function checkedRange(options: PortMappingOptions): { readonly first: number; readonly last: number } {
  const { firstHostPort: first = DEFAULT_FIRST_HOST_PORT, lastHostPort: last = DEFAULT_LAST_HOST_PORT } =
    options;
  if (Number.isInteger(first) && Number.isInteger(last) && first >= 1 && last <= 65_535 && first <= last) {
    return { first, last };
  }
  throw new NetworkingError(
    "NETWORK_SETTING_INVALID",
    `host ports of machines must be a range within 1 to 65535, got ${first} to ${last}`,
  );
}

const mappedPort = ({ vm_port, host_port, tcp, udp }: MappingRow): MappedPort => ({
  guestPort: vm_port,
  hostPort: host_port,
  tcp: tcp === 1,
  udp: udp === 1,
});
