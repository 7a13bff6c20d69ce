/** The part of the platform's `WebSocket` that this package uses. */
export interface WebSocketLike {
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
  close(): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;
