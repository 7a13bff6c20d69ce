import type { Duplex } from "node:stream";

/** The guest of a program that serves: over streams, or by one message for each request (the reference's runtimes). */
export type ProgramGuest = StreamGuest | ScopeGuest;

interface Guest {
  readonly vmHash: string;
  /** Nothing can be asked of it any more: its machine ended, or it broke the protocol. */
  readonly isLost: boolean;
  /** Gives the program a message that it subscribed to. @throws TransportError */
  sendEvent(messageText: string, signal: AbortSignal): Promise<void>;
}

export interface StreamGuest extends Guest {
  readonly kind: "streams";
  /** A connection to port 8080 of the guest. @throws TransportError */
  openHttp(): Duplex;
}

export interface ScopeGuest extends Guest {
  readonly kind: "scopes";
  /** @throws TransportError */
  request(scope: HttpScope, signal: AbortSignal): Promise<ScopeReply>;
}

/** A request as protocols 1.0.0 and 2.0.0 carry it. */
export interface HttpScope {
  readonly path: string;
  readonly method: string;
  readonly queryString: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export type ScopeReply =
  /** The machine ended without an answer. */
  | { readonly kind: "empty" }
  | { readonly kind: "invalid" }
  | { readonly kind: "failed"; readonly traceback: string }
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: Uint8Array;
    };

/** Guests of programs that serve now. */
export interface ProgramGuests {
  get(vmHash: string): ProgramGuest | null;
}
