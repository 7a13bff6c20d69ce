/** Largest content that travels along with its message, in characters of its text. */
export const MAX_CONTENT_CHARACTERS = 16 * 1024 * 1024;
