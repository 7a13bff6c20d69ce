/** The channel that the network's clients use for files and for computing. A label, not a permission. */
export const DEFAULT_CHANNEL = "ALEPH-CLOUDSOLUTIONS";
