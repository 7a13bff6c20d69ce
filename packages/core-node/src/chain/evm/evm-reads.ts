import { ChainError } from "../errors.ts";
import { type JsonRpc, RpcRefusal } from "./json-rpc.ts";

/** A log of the contract, as an RPC gives it. */
export interface EvmLog {
  readonly topics: readonly string[];
  readonly data: string;
  readonly txHash: string;
  readonly logIndex: number;
  readonly height: number;
  readonly blockHash: string;
}

/** Servers say in many words, and with many codes, that a range has too many blocks or events. */
const TOO_MUCH = /\brange\b|too (many|large|wide|big)|limit|exceed|more than/i;

/** What the reader asks an EVM chain; answers are checked for their shape. */
export class EvmReads {
  readonly #rpc: Pick<JsonRpc, "request">;

  constructor(rpc: Pick<JsonRpc, "request">) {
    this.#rpc = rpc;
  }

  /** Height of the newest block. */
  async head(): Promise<number> {
    return numberOf(await this.#rpc.request({ method: "eth_blockNumber" }));
  }

  /** Hash of the block at a height; null when the RPC has none (yet). */
  async blockHash(height: number): Promise<string | null> {
    const block = await this.#rpc.request({ method: "eth_getBlockByNumber", params: [hex(height), false] });
    if (block === null) return null;
    return hashOf((block as { hash?: unknown }).hash);
  }

  /** Time of the block at a height. @throws ChainError CHAIN_RPC_UNAVAILABLE: also when the RPC has none */
  async blockTimeSeconds(height: number): Promise<number> {
    const block = await this.#rpc.request({ method: "eth_getBlockByNumber", params: [hex(height), false] });
    if (block === null) throw new ChainError("CHAIN_RPC_UNAVAILABLE", `An RPC lacks block ${height}`);
    return numberOf((block as { timestamp?: unknown }).timestamp);
  }

  /** What a creation of a contract would leave, as of a block. @throws ChainError, RpcRefusal */
  async call({ data, gas, height }: { data: string; gas: number; height: number }): Promise<unknown> {
    return await this.#rpc.request({ method: "eth_call", params: [{ data, gas: hex(gas) }, hex(height)] });
  }

  /** Logs of a contract with one of these first topics, in their order. @throws ChainError CHAIN_ANSWER_TOO_LARGE */
  async logs(address: string, topics: readonly string[], from: number, to: number): Promise<EvmLog[]> {
    const filter = { address, topics: [topics], fromBlock: hex(from), toBlock: hex(to) };
    const rows = await this.#rpc
      .request({ method: "eth_getLogs", params: [filter] })
      .catch((error: unknown) => {
        if (!(error instanceof RpcRefusal && TOO_MUCH.test(error.message))) throw error;
        throw new ChainError("CHAIN_ANSWER_TOO_LARGE", error.message);
      });
    if (!Array.isArray(rows)) throw malformed("logs are no list");
    return rows
      .filter((row: Readonly<Record<string, unknown>>) => row.removed !== true)
      .map((row: Readonly<Record<string, unknown>>) => {
        const height = numberOf(row.blockNumber);
        if (height < from || height > to) throw malformed(`a log is of block ${height}`);
        if (String(row.address).toLowerCase() !== address.toLowerCase())
          throw malformed("a log is of another contract");
        return {
          topics: (row.topics as readonly unknown[]).map(String),
          data: String(row.data),
          txHash: hashOf(row.transactionHash),
          logIndex: numberOf(row.logIndex),
          height,
          blockHash: hashOf(row.blockHash),
        };
      })
      .sort((a, b) => a.height - b.height || a.logIndex - b.logIndex);
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`;

const malformed = (why: string): ChainError =>
  new ChainError("CHAIN_RPC_UNAVAILABLE", `The answer of an RPC is malformed: ${why}`);

function numberOf(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 0) throw malformed(`${String(value)} is no number`);
  return number;
}

/** Lower case with `0x`: the one form in which hashes are kept. */
function hashOf(value: unknown): string {
  if (typeof value !== "string" || !/^0x[0-9a-f]{64}$/i.test(value))
    throw malformed(`${String(value)} is no hash`);
  return value.toLowerCase();
}
