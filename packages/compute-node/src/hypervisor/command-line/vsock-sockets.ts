/** In the run folder of a machine with vsock. Source: `docs/vsock.md` of Firecracker, which names those of ports. */
export const VSOCK_SOCKETS = {
  /** Between QEMU and the process that is the device. */
  device: "vsock-device.sock",
  /** Whoever connects here says `CONNECT PORT`, and reaches that port of the guest. */
  guest: "vsock.sock",
  /** Where a connection of the guest to this port of its host arrives. */
  hostPort: (port: number): string => `vsock.sock_${port}`,
} as const;
