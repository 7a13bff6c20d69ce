import assert from "node:assert/strict";

/** Whether a member is what the strictest of the clients decodes it to. */
type Check = (value: unknown, name: string) => void;

const text: Check = (value, name) => assert.equal(typeof value, "string", name);
const integer: Check = (value, name) => assert.ok(Number.isSafeInteger(value), `${name}: ${String(value)}`);
const flag: Check = (value, name) => assert.equal(typeof value, "boolean", name);
const hash: Check = (value, name) => assert.match(String(value), /^[0-9a-f]{64}$/, name);
const time: Check = (value, name) =>
  assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, name);
const orNull =
  (check: Check): Check =>
  (value, name) => {
    if (value !== null) check(value, name);
  };
const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, name) =>
    assert.ok(allowed.includes(String(value)), `${name}: ${String(value)}`);
const listOf =
  (check: Check): Check =>
  (value, name) => {
    assert.ok(Array.isArray(value), name);
    for (const item of value) check(item, `${name}[]`);
  };
const object =
  (members: Readonly<Record<string, Check>>): Check =>
  (value, name) => {
    assert.ok(typeof value === "object" && value !== null, name);
    const given = value as Readonly<Record<string, unknown>>;
    assert.deepEqual(Object.keys(given).toSorted(), Object.keys(members).toSorted(), `members of ${name}`);
    for (const [key, check] of Object.entries(members)) check(given[key], `${name}.${key}`);
  };

const gpu = object({ vendor: text, model: text, device_name: text, device_class: text, device_id: text });
const anything: Check = () => {};

const VM: Readonly<Record<string, Check>> = {
  vm_hash: hash,
  vm_type: oneOf("instance", "persistent_program", "v_program"),
  owner: orNull(text),
  sender: orNull(text),
  status: oneOf(
    ...["scheduled", "dispatched", "duplicated", "misplaced", "missing", "orphaned", "migrating"],
    ...["unknown", "unscheduled", "unschedulable"],
  ),
  scheduling_status: oneOf("unknown", "scheduled", "unschedulable", "unscheduled"),
  allocated_node: orNull(hash),
  allocated_at: orNull(time),
  observed_nodes: listOf(hash),
  last_observed_at: orNull(time),
  migration_target: orNull(hash),
  migration_started_at: orNull(time),
  requirements_vcpus: orNull(integer),
  requirements_memory_mb: orNull(integer),
  requirements_disk_mb: orNull(integer),
  requires_confidential: flag,
  gpu_requirements: listOf(gpu),
  cpu_architecture: orNull(text),
  cpu_vendor: orNull(text),
  cpu_features: listOf(text),
  payment_type: orNull(text),
  payment_status: orNull(oneOf("validated", "invalidated")),
  updated_at: time,
  name: orNull(text),
  created_at: time,
  reason: orNull(object({ code: text, text, since: time })),
  ipv6: orNull(text),
  host_ipv4: orNull(text),
  mapped_ports: anything,
};

const NODE: Readonly<Record<string, Check>> = {
  node_hash: hash,
  name: orNull(text),
  owner: orNull(text),
  address: orNull(text),
  status: oneOf("Healthy", "Unreachable", "Unknown", "removed"),
  staked: flag,
  vcpus_total: orNull(integer),
  memory_total_mb: orNull(integer),
  disk_total_mb: orNull(integer),
  vcpus_available: orNull(integer),
  memory_available_mb: orNull(integer),
  disk_available_mb: orNull(integer),
  supports_ipv6: orNull(flag),
  confidential_computing_enabled: flag,
  cpu_architecture: orNull(text),
  cpu_vendor: orNull(text),
  cpu_features: listOf(oneOf("sev", "sev_es", "sev_snp")),
  gpus: object({ used: listOf(gpu), available: listOf(gpu) }),
  payment_receiver: orNull(text),
  vm_count: integer,
  discovered_at: orNull(time),
  updated_at: time,
};

export interface CheckedVm {
  readonly vm_hash: string;
  readonly vm_type: string;
  readonly owner: string | null;
  readonly status: string;
  readonly scheduling_status: string;
  readonly allocated_node: string | null;
  readonly observed_nodes: readonly string[];
  readonly migration_target: string | null;
  readonly requirements_disk_mb: number | null;
  readonly ipv6: string | null;
  readonly reason: { readonly code: string; readonly text: string } | null;
}

export interface CheckedNode {
  readonly node_hash: string;
  readonly status: string;
  readonly address: string | null;
  readonly vm_count: number;
}

/** A machine with every member of the type that clients read, and none beside. */
export function checkVm(value: unknown): CheckedVm {
  object(VM)(value, "vm");
  return value as CheckedVm;
}

export function checkNode(value: unknown): CheckedNode {
  object(NODE)(value, "node");
  return value as CheckedNode;
}

/** Items of a page with a right envelope. */
export function checkPage<Item>(value: unknown, check: (item: unknown) => Item): readonly Item[] {
  const pagination = object({
    page: integer,
    page_size: integer,
    total_items: integer,
    total_pages: integer,
  });
  object({ items: listOf(anything), pagination })(value, "page");
  return (value as { items: readonly unknown[] }).items.map(check);
}
