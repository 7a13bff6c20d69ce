/** What a guest is told of its owner at its first boot. */
export interface GuestOwner {
  readonly hostName: string;
  /** Of OpenSSH, one a key. */
  readonly authorizedKeys: readonly string[];
  readonly extension: "none" | "gpu" | "confidential";
}

/**
 * User data of cloud-init. JSON is YAML: whatever a key contains, it stays one text. The guest agent is installed only
 * where the image lacks it, after all else, so that a guest without internet is not held up.
 *
 * Source: aleph-vm `src/aleph/vm/controllers/qemu/cloudinit.py`.
 */
export function userData({ hostName, authorizedKeys, extension }: GuestOwner): string {
  const config = {
    hostname: hostName,
    disable_root: false,
    ssh_pwauth: false,
    // Keys of the host survive a new instance id: owners would see a warning otherwise.
    ssh_deletekeys: false,
    ssh_authorized_keys: authorizedKeys,
    resize_rootfs: true,
    ...(extension === "none" ? {} : { bootcmd: BOOT_COMMANDS[extension] }),
    ...(extension === "confidential" ? {} : { runcmd: [AGENT_COMMAND] }),
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}

const AGENT_COMMAND = [
  "sh",
  "-c",
  "command -v qemu-ga >/dev/null || (apt-get update && apt-get install -y qemu-guest-agent) >/dev/null 2>&1; systemctl start --no-block qemu-guest-agent.service || true",
];

const BOOT_COMMANDS = {
  confidential: [
    "growpart /dev/vda 2 || true",
    "cryptsetup resize cr_root || true",
    "resize2fs /dev/mapper/cr_root || true",
  ],
  gpu: [
    "grep -q pci=noaer /etc/default/grub || sed -i 's/^GRUB_CMDLINE_LINUX_DEFAULT=\"/&pci=realloc=off pci=noaer /' /etc/default/grub || true",
    "if command -v update-grub; then update-grub; fi || true",
  ],
} as const;
