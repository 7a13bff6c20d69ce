/** What a quote was given for, and by which price list: nothing has to be remembered. */
export interface QuoteName {
  readonly priceList: string;
  readonly contentHash: string;
}

const QUOTE_ID = /^([0-9a-f]{64})\.([0-9a-f]{64})$/;

export const quoteId = ({ priceList, contentHash }: QuoteName): string => `${priceList}.${contentHash}`;

/** null when the text is no quote id. */
export function readQuoteId(text: string): QuoteName | null {
  const [, priceList, contentHash] = QUOTE_ID.exec(text) ?? [];
  return priceList === undefined || contentHash === undefined ? null : { priceList, contentHash };
}
