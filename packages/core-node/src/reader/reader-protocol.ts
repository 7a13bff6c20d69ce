import type { NetworkDefinition } from "@twentysix/protocol";
import type { StateRules } from "@twentysix/state";
import type {
  AuthorizationsQuery,
  BoundedPageRequest,
  ChunkRequest,
  CreditHistoryFilter,
  CreditPosition,
  Direction,
  FullPublication,
  ListName,
  ListQueries,
  LongPart,
  NodeMetricsQuery,
  PageRequest,
  PiecePosition,
  ReadErrorCode,
} from "@twentysix/storage";
import type { InquiredMessage } from "../ledger/ledger-inquiry.ts";
import type { TreeCall } from "../sync/tree-calls.ts";

/** What questions about money are judged by. */
export interface LedgerSettings {
  /** For what a client submits. */
  readonly rules: StateRules;
  readonly definition: Pick<NetworkDefinition, "pricing" | "settings" | "switches" | "limits">;
}

/** What the reader thread is started with. */
export interface ReaderData {
  readonly databasePath: string;
  readonly cacheBytes: number;
  readonly ledger: LedgerSettings;
  /** One Int32: the id of the request that nobody waits for any more. */
  readonly cancelled: SharedArrayBuffer;
}

/** One read, as plain data. */
export type ReadCall = ListCall | KeyedCall | LedgerCall | TreeCall;

/** A point read, or one of the file ledger or the chain records, by the name of its method: where the main thread cannot make it. */
export interface KeyedCall {
  readonly kind: "point" | "fileRecord" | "chainRecord";
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** A list or a part of one. */
export type ListCall =
  | {
      readonly [Name in ListName]: {
        readonly kind: "page";
        readonly list: Name;
        readonly query: ListQueries[Name];
        readonly page: BoundedPageRequest;
      };
    }[ListName]
  | {
      readonly [Name in ListName]: {
        readonly kind: "cursor";
        readonly list: Name;
        readonly query: ListQueries[Name];
        readonly request: ChunkRequest;
      };
    }[ListName]
  | { readonly kind: "accountFilesSize"; readonly address: string }
  | { readonly kind: "piece"; readonly part: LongPart; readonly position: PiecePosition | null }
  | { readonly kind: "aggregateOutlines"; readonly address: string; readonly keys: readonly string[] | null }
  | { readonly kind: "authorizations"; readonly query: AuthorizationsQuery; readonly page: PageRequest }
  | { readonly kind: "channels"; readonly request: ChunkRequest }
  | { readonly kind: "programsOnMessage"; readonly direction: Direction; readonly request: ChunkRequest }
  | { readonly kind: "nodeMetrics"; readonly query: NodeMetricsQuery }
  | {
      readonly kind: "creditSummary";
      readonly address: string;
      readonly filter: CreditHistoryFilter;
      readonly after: CreditPosition | null;
    }
  | { readonly kind: "omittedHolders"; readonly publication: FullPublication }
  | { readonly kind: "forecastFacts"; readonly address: string; readonly nowMicros: bigint };

/** Questions about money, which look at the facts that the writer judges by. */
export type LedgerCall =
  | { readonly kind: "judgePayment"; readonly message: InquiredMessage }
  | { readonly kind: "standing"; readonly itemHash: string }
  | { readonly kind: "pricesInForce" }
  | { readonly kind: "ended"; readonly itemHash: string }
  | { readonly kind: "priceList"; readonly hash: string };

export interface ReaderRequest {
  readonly id: number;
  /** Time that the thread may spend on it. */
  readonly timeoutMs: number;
  readonly call: ReadCall;
}

export type ReaderResponse =
  | { readonly kind: "ready" }
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "refused";
      readonly id: number;
      readonly code: ReadErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, string | number>>;
    }
  /** A defect: handed to the caller as it was thrown. */
  | { readonly kind: "failed"; readonly id: number; readonly error: unknown };
