/**
 * Addresses on the bus of a `q35`, so that a device stays where the guest has seen it whatever else the machine has.
 * Slot 0 and 31 belong to the board, slot 1 is left to a display.
 */
export const PCI_SLOTS = {
  network: 2,
  serial: 3,
  random: 4,
  balloon: 5,
  vsock: 6,
  firstDrive: 8,
} as const;

/** What slots 8 to 30 hold. */
export const MAX_PCI_DRIVES = 23;
