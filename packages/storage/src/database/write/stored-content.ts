/** Reads the top-level fields of a stored AGGREGATE element: name and raw value text. */
export type ReadElementFields = (
  envelopeText: string,
  contentText: string | null,
) => readonly (readonly [name: string, valueText: string])[];
