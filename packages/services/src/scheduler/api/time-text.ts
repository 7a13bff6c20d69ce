/** RFC 3339 in UTC with milliseconds, so that times compare as texts. */
export const timeText = (atMs: number): string => new Date(atMs).toISOString();
export const timeTextOrNull = (atMs: number | null): string | null => (atMs === null ? null : timeText(atMs));
