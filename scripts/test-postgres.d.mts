/** A server for tests and measurements, or the reason why this machine has none. */
export function startTestPostgres(): Promise<
  | { readonly url: string; stop(): Promise<void>; readonly reason?: undefined }
  | { readonly reason: string; readonly url?: undefined; readonly stop?: undefined }
>;
