let isTold = false;

/**
 * Tests in virtual machines say what their machines run on, as the probe of the host has found it: what takes too long
 * means another thing under emulation.
 */
export function tellAccelerator(accelerator: "kvm" | "tcg"): void {
  if (isTold || process.argv[1]?.endsWith(".vm-test.ts") !== true) return;
  isTold = true;
  const meaning = accelerator === "kvm" ? "on this processor" : "under emulation";
  process.stdout.write(`machines run ${meaning} (${accelerator})\n`);
}
