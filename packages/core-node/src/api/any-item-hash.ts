import { isItemHash } from "@twentysix/protocol";

/**
 * Can this text name a message or a file on any network? Which CIDs can is a rule of the network, by which messages
 * are accepted; a question after one that cannot be there finds nothing.
 */
export const isAnyItemHash = (text: string): boolean => isItemHash(text, { anyCidV1: true });
