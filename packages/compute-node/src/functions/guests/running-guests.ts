import type { ProgramGuest, ProgramGuests } from "./program-guest.ts";

/** What holding on to a guest needs beside asking it. */
export interface GuestHold {
  /** Tells the guest to end in order. Resolves once it has begun to, or cannot be told. */
  halt(signal: AbortSignal): Promise<void>;
  /** Lets go of it; the machine goes on. */
  close(): void;
}

/** A guest that this node holds on to. */
export type HeldGuest = ProgramGuest & GuestHold;

/** The guests of all programs that run here. */
export class RunningGuests implements ProgramGuests {
  readonly #guests = new Map<string, HeldGuest>();

  get(vmHash: string): HeldGuest | null {
    return this.#guests.get(vmHash) ?? null;
  }

  /** In place of an earlier one of the same machine. */
  add(guest: HeldGuest): void {
    this.#guests.get(guest.vmHash)?.close();
    this.#guests.set(guest.vmHash, guest);
  }

  remove(vmHash: string): void {
    this.#guests.get(vmHash)?.close();
    this.#guests.delete(vmHash);
  }

  /** Every machine goes on: the next node adopts it. */
  close(): void {
    for (const guest of this.#guests.values()) guest.close();
    this.#guests.clear();
  }
}
