/**
 * Ends the reading of a pattern, from any depth. Never leaves this folder: patterns are at most 256 characters
 * and are read once a message, so this is no hot path.
 */
export class PatternError extends Error {
  override name = "PatternError";
}
