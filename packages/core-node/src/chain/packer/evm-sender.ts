import type { PackTransaction } from "@twentysix/storage";
import { type Hex, keccak256 } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { type JsonRpc, RpcRefusal } from "../evm/json-rpc.ts";
import { type FeeHistory, type Fees, legacyFees, marketFees } from "./fees.ts";

/** A transaction of the packer before it is signed. */
export interface Call {
  readonly to: string;
  readonly data: Hex;
  readonly nonce: number;
  readonly gas: bigint;
  readonly fees: Fees;
}

export type Receipt = "mined" | "failed" | "none";

/** The estimate is of now; the transaction may be mined in a block of another gas price table. */
const GAS_MARGIN_PERCENT = 120n;
const KNOWN_ALREADY = /already known|known transaction|already imported|nonce too low|already in mempool/i;

/** The account that pays for archives. */
export class EvmSender {
  readonly #rpc: Pick<JsonRpc, "request">;
  readonly #account: PrivateKeyAccount;

  /** @param privateKey 64 hexadecimal digits */
  constructor(rpc: Pick<JsonRpc, "request">, privateKey: string) {
    this.#rpc = rpc;
    this.#account = privateKeyToAccount(`0x${privateKey}`);
  }

  /** With the letter case of its checksum. */
  get address(): string {
    return this.#account.address;
  }

  /** What the network asks now. */
  async fees(): Promise<Fees> {
    try {
      const params = ["0x5", "latest", [25]];
      const history = (await this.#rpc.request({ method: "eth_feeHistory", params })) as FeeHistory;
      const fees = marketFees(history);
      if (fees !== null) return fees;
    } catch (error) {
      // A chain without such a market has no such method.
      if (!(error instanceof RpcRefusal)) throw error;
    }
    return legacyFees(BigInt((await this.#rpc.request({ method: "eth_gasPrice" })) as string));
  }

  /** Number of transactions of an account that are mined: the nonce of the next one. */
  async nonce(address: string = this.address): Promise<number> {
    return Number(
      await this.#rpc.request({ method: "eth_getTransactionCount", params: [address, "latest"] }),
    );
  }

  async gasFor(to: string, data: Hex): Promise<bigint> {
    const params = [{ from: this.address, to, data }];
    const estimate = await this.#rpc.request({ method: "eth_estimateGas", params });
    return (BigInt(estimate as string) * GAS_MARGIN_PERCENT) / 100n;
  }

  /** Signs, without sending: its hash is known before anybody sees it. */
  async sign(call: Call, nowMicros: bigint): Promise<PackTransaction> {
    const chainId = Number(await this.#rpc.request({ method: "eth_chainId" }));
    const { to, data, nonce, gas, fees } = call;
    const common = { chainId, to: to as Hex, data, nonce, gas, value: 0n };
    const signed =
      fees.kind === "legacy"
        ? await this.#account.signTransaction({ ...common, type: "legacy", gasPrice: fees.gasPrice })
        : await this.#account.signTransaction({
            ...common,
            type: "eip1559",
            maxFeePerGas: fees.maxFeePerGas,
            maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
          });
    return {
      hash: keccak256(signed),
      signed,
      maxFeePerGas: String(fees.kind === "legacy" ? fees.gasPrice : fees.maxFeePerGas),
      maxPriorityFeePerGas: fees.kind === "legacy" ? "" : String(fees.maxPriorityFeePerGas),
      sentMicros: String(nowMicros),
    };
  }

  /** Sends a signed transaction; sending it again does no harm. @throws ChainError, RpcRefusal */
  async send({ signed }: PackTransaction): Promise<void> {
    try {
      await this.#rpc.request({ method: "eth_sendRawTransaction", params: [signed] });
    } catch (error) {
      if (error instanceof RpcRefusal && KNOWN_ALREADY.test(error.message)) return;
      throw error;
    }
  }

  async receipt(txHash: string): Promise<Receipt> {
    const receipt = await this.#rpc.request({ method: "eth_getTransactionReceipt", params: [txHash] });
    if (receipt === null) return "none";
    return (receipt as { status?: string }).status === "0x0" ? "failed" : "mined";
  }
}

/** What an earlier transaction offered. */
export function feesOf({ maxFeePerGas, maxPriorityFeePerGas }: PackTransaction): Fees {
  if (maxPriorityFeePerGas === "") return { kind: "legacy", gasPrice: BigInt(maxFeePerGas) };
  return {
    kind: "eip1559",
    maxFeePerGas: BigInt(maxFeePerGas),
    maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas),
  };
}
