import type { SQLOutputValue } from "node:sqlite";
import { type InstanceContent, type ProgramContent, parseJson, stringifyJson } from "@twentysix/protocol";
import type { Execution, ExecutionReason } from "./execution.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

/**
 * The members of an execution as the columns of its row hold them; `id` is the database's. `resolved` is null until the
 * newest files were looked for.
 */
export function columnsOf(execution: Execution, isResolved: boolean): Record<string, string | number | null> {
  const { times, reason } = execution;
  return {
    vm_hash: execution.vmHash,
    vm_number: execution.vmNumber,
    state: execution.state,
    desired: execution.desired,
    reason_code: reason?.code ?? null,
    reason_text: reason?.text ?? null,
    reason_at_ms: reason?.atMs ?? null,
    kind: execution.kind,
    is_persistent: execution.isPersistent ? 1 : 0,
    source: execution.source,
    owner: execution.owner,
    content: contentText(execution.content),
    resolved: isResolved ? contentText(execution.resolved) : null,
    mode: execution.mode,
    defined_at_ms: times.definedAtMs,
    preparing_at_ms: times.preparingAtMs,
    prepared_at_ms: times.preparedAtMs,
    starting_at_ms: times.startingAtMs,
    started_at_ms: times.startedAtMs,
    stopping_at_ms: times.stoppingAtMs,
    stopped_at_ms: times.stoppedAtMs,
  };
}

/** Reads what `columnsOf` wrote; the values are this program's own, so their words are taken as they are. */
export function executionOf(row: Row): Execution {
  const content = textOf(row, "content");
  return {
    vmHash: textOf(row, "vm_hash"),
    vmNumber: numberOf(row, "vm_number"),
    state: textOf(row, "state") as Execution["state"],
    desired: textOf(row, "desired") as Execution["desired"],
    reason: reasonOf(row),
    kind: textOf(row, "kind") as Execution["kind"],
    isPersistent: row.is_persistent === 1,
    source: textOf(row, "source") as Execution["source"],
    owner: textOf(row, "owner"),
    content: contentOf(content),
    resolved: contentOf(row.resolved === null ? content : textOf(row, "resolved")),
    mode: textOf(row, "mode") as Execution["mode"],
    times: {
      definedAtMs: numberOf(row, "defined_at_ms"),
      preparingAtMs: numberOrNull(row, "preparing_at_ms"),
      preparedAtMs: numberOrNull(row, "prepared_at_ms"),
      startingAtMs: numberOrNull(row, "starting_at_ms"),
      startedAtMs: numberOrNull(row, "started_at_ms"),
      stoppingAtMs: numberOrNull(row, "stopping_at_ms"),
      stoppedAtMs: numberOrNull(row, "stopped_at_ms"),
    },
  };
}

function reasonOf(row: Row): ExecutionReason | null {
  const atMs = numberOrNull(row, "reason_at_ms");
  return atMs === null ? null : { code: textOf(row, "reason_code"), text: textOf(row, "reason_text"), atMs };
}

/** Contents of messages are JSON, also where their types have integers beyond 2^53. */
export function contentText(content: ProgramContent | InstanceContent): string {
  return stringifyJson(content as unknown as Parameters<typeof stringifyJson>[0]);
}

function contentOf(text: string): ProgramContent | InstanceContent {
  const parsed = parseJson(text);
  if (!parsed.ok)
    throw new Error(`the database of executions is damaged: ${parsed.reason}; restore a copy of it`);
  return parsed.value as unknown as ProgramContent | InstanceContent;
}

function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new Error(`the database of executions is damaged: ${column} is no text; restore a copy of it`);
}

function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw new Error(`the database of executions is damaged: ${column} is no number; restore a copy of it`);
}

function numberOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}
