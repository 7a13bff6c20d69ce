import type { Piece } from "@twentysix/storage";
import {
  atOnce,
  ChainRecords,
  createListReads,
  createPointReads,
  DatabaseError,
  FileLedger,
  openConnection,
  type ReadBudget,
  type ReadByName,
  ReadError,
  type SyncListReads,
} from "@twentysix/storage/reader";
import type { TreeCall } from "../sync/tree-calls.ts";
import type { ThreadPlace } from "../threads/thread-place.ts";
import type { LedgerCall, ReadCall, ReaderData, ReaderRequest, ReaderResponse } from "./reader-protocol.ts";
import { isLedgerCall, isTreeCall, runReadCall } from "./run-read-call.ts";

/** A read of a list has less; this ends what nobody waits for any more. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** A text of which no piece was asked for that long is held for nobody. */
const RELEASE_TEXTS_MS = 5_000;

export type ReaderPlace = Pick<ThreadPlace<ReaderResponse, ReaderRequest>, "main" | "clock" | "timers">;

/** Answers reads, one after the other, on a read-only connection of its own. */
export function runReader(
  { databasePath, cacheBytes, cancelled, ledger }: ReaderData,
  { main, clock, timers }: ReaderPlace,
): void {
  const cancelledId = new Int32Array(cancelled);
  const connection = openConnection(databasePath, {
    readOnly: true,
    cacheBytes,
    purpose: "reader",
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  let lists: SyncListReads | null = null;
  let points: ReadByName | null = null;
  let fileRecords: ReadByName | null = null;
  let chainRecords: ReadByName | null = null;
  /** Loaded when the first question about money comes: a node that only lists need not hold it. */
  let ledgerCalls: Promise<(call: LedgerCall) => Promise<unknown>> | null = null;

  async function answerLedger(call: LedgerCall): Promise<unknown> {
    ledgerCalls ??= import("../ledger/ledger-calls.ts").then(({ createLedgerCalls }) =>
      createLedgerCalls(connection, ledger, clock),
    );
    return await (await ledgerCalls)(call);
  }

  /** Loaded when the first peer asks, or is asked. */
  let treeCalls: Promise<(call: TreeCall) => unknown> | null = null;

  async function answerTree(call: TreeCall): Promise<unknown> {
    treeCalls ??= import("../sync/tree-calls.ts").then(({ createTreeCalls }) => createTreeCalls(connection));
    return (await treeCalls)(call);
  }

  let cancelRelease = (): void => {};

  const respond = (response: ReaderResponse, transfer: ArrayBuffer[] = []): void =>
    main.postMessage(response, transfer);

  function budgetOf({ id, timeoutMs }: ReaderRequest): ReadBudget {
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    return {
      checkpoint: () => {
        const isLate = clock.monotonicMs() > deadlineMs;
        if (isLate || Atomics.load(cancelledId, 0) === id) {
          throw new ReadError("READ_TIMEOUT", "the read was given up: ask for less, or narrow the filters", {
            timeoutMs,
          });
        }
      },
    };
  }

  function read(call: ReadCall, request: ReaderRequest): Promise<unknown> | unknown {
    if (isLedgerCall(call)) return answerLedger(call);
    if (isTreeCall(call)) return answerTree(call);
    switch (call.kind) {
      case "point":
        points ??= atOnce(createPointReads(connection));
        return points(call.name, call.parameters);
      case "fileRecord":
        fileRecords ??= atOnce(new FileLedger(connection));
        return fileRecords(call.name, call.parameters);
      case "chainRecord":
        chainRecords ??= atOnce(new ChainRecords(connection));
        return chainRecords(call.name, call.parameters);
      default:
        lists ??= createListReads(connection);
        return runReadCall(lists, call, budgetOf(request));
    }
  }

  async function answer(request: ReaderRequest): Promise<void> {
    const { id, call } = request;
    try {
      const value = await read(call, request);
      if (call.kind !== "piece") return respond({ kind: "value", id, value });
      respond({ kind: "value", id, value }, [(value as Piece).bytes.buffer]);
      cancelRelease();
      cancelRelease = timers.schedule(RELEASE_TEXTS_MS, () => lists?.releaseTexts());
    } catch (error) {
      const refusal = error instanceof DatabaseError ? refusalOf(error) : error;
      if (refusal instanceof ReadError) {
        respond({
          kind: "refused",
          id,
          code: refusal.code,
          message: refusal.message,
          details: refusal.details,
        });
      } else respond({ kind: "failed", id, error });
    }
  }

  main.on("message", (request: ReaderRequest) => void answer(request));
  respond({ kind: "ready" });
}

/** A server that does not answer is no defect of this node; a statement that it refuses is one. */
function refusalOf(error: DatabaseError): unknown {
  if (error.code === "DATABASE_LOST") return new ReadError("READER_FAILED", error.message);
  if (error.code === "DATABASE_TIMEOUT") return new ReadError("READ_TIMEOUT", error.message);
  return error;
}
