/** Whole tables are read here, and sorted: how long a server may take before the first row. */
export const WHOLE_TABLE_TIMEOUT_MS = 3_600_000;
