/**
 * True when signer and owner are the same: addresses are compared without regard to case, for every chain, and
 * without regard to the chain.
 *
 * Only here: everywhere else `0xABC…` and `0xabc…` are two owners. Source: pyaleph `src/aleph/permissions.py`.
 */
export function isOwnerItself(sender: string, owner: string): boolean {
  return sender === owner || sender.toLowerCase() === owner.toLowerCase();
}
