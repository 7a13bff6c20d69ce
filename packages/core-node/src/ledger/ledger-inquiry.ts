import { hash } from "node:crypto";
import {
  type Chain,
  type Envelope,
  type MessageType,
  type NetworkDefinition,
  parseContentText,
  stringifyCanonicalJson,
  type TypedContent,
  validateContent,
} from "@twentysix/protocol";
import {
  fetchMissing,
  type Need,
  type PreparedMessage,
  PriceListReader,
  priceLists,
  priceQuestion,
  readPrices,
  type StateContext,
  type StateRules,
  World,
} from "@twentysix/state";
import type { FactReader } from "@twentysix/storage/reader";
import type { CopyReader } from "../pipeline/copy-reader.ts";
import { prepareMessage } from "../pipeline/prepare-message.ts";
import type { PaymentReport, PriceListReport, UnpricedReport } from "./payment-report.ts";
import { reportPayment, reportUnpriced } from "./report-payment.ts";

/** A message that need not be signed yet. */
export interface InquiredMessage {
  readonly type: MessageType;
  /** Given where the content names no address. */
  readonly sender: string;
  readonly chain: Chain;
  readonly contentText: string;
  readonly timeMicros: bigint;
  /** Of the file of a STORE that this node need not hold yet. */
  readonly fileSizeBytes: number | null;
  /** The list to price by; null: the one in force. */
  readonly priceList: string | null;
  /** The gates of an upload, where only the funds count, or those of the message. */
  readonly gates: "message" | "upload";
}

export interface InquiryOptions {
  readonly facts: Pick<FactReader, "snapshot" | "priceList">;
  readonly rules: StateRules;
  readonly definition: Pick<NetworkDefinition, "pricing" | "settings" | "switches">;
  readonly reader: CopyReader;
}

/** Rounds of fetching that one question may take; more is a defect. */
const MAX_ROUNDS = 20;

/**
 * Puts to the price hook what the writer would put to it, over the facts as they stand, and tells what comes of it
 * with every figure. Nothing is changed. As for a message that a client submits.
 */
export class LedgerInquiry {
  readonly #options: InquiryOptions;
  readonly #prices: PriceListReader;
  readonly #context: Omit<StateContext, "nowMicros">;

  constructor(options: InquiryOptions) {
    const { definition, rules, reader } = options;
    this.#options = options;
    this.#prices = new PriceListReader({ defaults: definition });
    this.#context = {
      rules,
      priceCheck: () => ({ ok: true }),
      priceLists: (pricing, settings) => this.#prices.lists(pricing, settings),
      readTyped: (message) => reader.typed(message),
      prepare: (envelopeText, contentText) => reader.prepare(envelopeText, contentText),
    };
  }

  /** null for a message that uses no resources. */
  async judge(message: InquiredMessage, nowMicros: bigint): Promise<PaymentReport | UnpricedReport | null> {
    const prepared = this.#prepare(message);
    if ("unpriced" in prepared) return prepared;
    return await this.#options.facts.snapshot(async (load) => {
      const world = new World();
      const { detail } = prepared.content;
      if (detail.kind === "STORE" && message.fileSizeBytes !== null)
        world.index.files.load(detail.fileHash, { sizeBytes: message.fileSizeBytes, type: "file" });
      const fetch = (needs: readonly Need[]): undefined => load(world, needs) as undefined;
      const context = { ...this.#context, ...this.#pricesNamed(message.priceList), nowMicros };
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const question = priceQuestion(world, context, prepared, nowMicros);
        if (question === null) return null;
        if ("cost" in question) return reportPayment(question, message.gates);
        if (question.kind === "reject") return reportUnpriced(question);
        await fetchMissing(world, question.needs, fetch);
      }
      throw new Error(`Judging a payment asked for facts ${MAX_ROUNDS} times`);
    });
  }

  /** The prices by which a message would be judged. */
  async pricesInForce(nowMicros: bigint): Promise<PriceListReport> {
    return await this.#options.facts.snapshot(async (load) => {
      const world = new World();
      const fetch = (needs: readonly Need[]): undefined => load(world, needs) as undefined;
      const { hash, pricing, settings } = await readPrices(world, { ...this.#context, nowMicros }, fetch);
      return {
        hash,
        pricingText: stringifyCanonicalJson(pricing),
        settingsText: stringifyCanonicalJson(settings),
      };
    });
  }

  #pricesNamed(name: string | null): Partial<Pick<StateContext, "priceLists">> {
    const list = name === null ? null : this.#options.facts.priceList(name);
    if (list === null) return {};
    const named = priceLists(JSON.parse(list.pricingText), JSON.parse(list.settingsText));
    return { priceLists: () => named };
  }

  #prepare(message: InquiredMessage): PreparedMessage | UnpricedReport {
    const { type, sender, chain, contentText, timeMicros } = message;
    const { switches } = this.#options.definition;
    const content = parseContentText(contentText);
    const checked = content.ok ? validateContent(type, content.content, switches) : content;
    if (!content.ok) return { unpriced: content.reason, priceList: null };
    if (!checked.ok || !("content" in checked)) return { unpriced: problemsOf(checked), priceList: null };
    const typed = { type, content: checked.content } as TypedContent;
    const envelope: Envelope = {
      chain,
      sender,
      type,
      itemType: "inline",
      itemContent: contentText,
      itemHash: hash("sha256", contentText, "hex"),
      channel: null,
      signature: null,
      timeMicros,
      timeText: `${timeMicros / 1_000_000n}`,
    };
    return prepareMessage(envelope, "", { text: contentText, value: content.content, typed }, null);
  }
}

/** What is wrong with a content, in one line. */
function problemsOf(checked: ReturnType<typeof validateContent> | { readonly ok: boolean }): string {
  if (!("errors" in checked)) return "the content cannot be read";
  return checked.errors.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
}
