/**
 * Calls back once what the machine has delivered by now is worked off: for gathering what one turn of the event loop
 * gives rise to. No time passes, and nothing can cancel it.
 */
export function afterTurn(callback: () => void): void {
  setImmediate(callback);
}
