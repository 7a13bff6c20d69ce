import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostImages } from "../../src/images/images.ts";

export interface GuestOptions {
  readonly machine?: "microvm" | "q35";
  readonly memoryMib?: number;
  readonly drives: readonly {
    readonly path: string;
    readonly isReadOnly: boolean;
    readonly format?: "raw" | "qcow2";
  }[];
  readonly kernelArguments?: readonly string[];
}

/** A guest under plain QEMU, to look at an image alone: the hypervisor of the node has its own tests. */
export interface TestGuest extends AsyncDisposable {
  /** Socket of the virtio-serial port `aleph.52`. */
  readonly channelPath: string;
  readonly exited: Promise<void>;
  serialLog(): Promise<string>;
  /** Resolves with the log once it holds the text; rejects with the log when the machine ends before. */
  said(text: string): Promise<string>;
}

/** `images`: null boots from the first drive. */
export async function bootGuest(images: HostImages | null, options: GuestOptions): Promise<TestGuest> {
  const folder = await mkdtemp(join(tmpdir(), "guest-"));
  const logPath = join(folder, "serial.log");
  const child = spawn("qemu-system-x86_64", await commandLine(images, options, folder), { stdio: "ignore" });
  let isOver = false;
  const exited = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      isOver = true;
      resolve();
    });
  });
  const serialLog = (): Promise<string> => readFile(logPath, "utf8").catch(() => "");
  return {
    channelPath: join(folder, "channel.sock"),
    exited,
    serialLog,
    async said(text) {
      for (;;) {
        const log = await serialLog();
        if (log.includes(text)) return log;
        if (isOver) throw new Error(`the guest ended without saying "${text}":\n${log}`);
        await sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function commandLine(
  images: HostImages | null,
  { machine = "microvm", memoryMib = 256, drives, kernelArguments = [] }: GuestOptions,
  folder: string,
): Promise<readonly string[]> {
  const bus = machine === "microvm" ? "device" : "pci";
  const clock = machine === "microvm" ? ["tsc=reliable", `tsc_early_khz=${await tscKhz()}`] : [];
  const append = ["console=ttyS0", "quiet", "reboot=t", "panic=-1", "mitigations=off", "nokaslr", ...clock];
  const machineType =
    machine === "microvm" ? "microvm,acpi=on,rtc=on,pit=off,pic=off,isa-serial=on" : "q35,smm=off,vmport=off";
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...[
      "-accel",
      "tcg,thread=multi",
      "-cpu",
      "qemu64",
      "-smp",
      "1",
      "-m",
      String(memoryMib),
      "-M",
      machineType,
    ],
    ...(images === null ? [] : ["-kernel", images.kernelPath, "-initrd", images.initrdPath]),
    ...(images === null ? [] : ["-append", [...append, ...kernelArguments].join(" ")]),
    ...["-chardev", `file,id=ser0,path=${join(folder, "serial.log")}`, "-serial", "chardev:ser0"],
    ...drives.flatMap(({ path, isReadOnly, format = "raw" }, index) => [
      ...[
        "-drive",
        `file=${path},format=${format},if=none,id=d${index},readonly=${isReadOnly ? "on" : "off"}`,
      ],
      ...["-device", `virtio-blk-${bus},drive=d${index}`],
    ]),
    ...["-device", `virtio-rng-${bus}`, "-device", `virtio-serial-${bus}`],
    ...["-chardev", `socket,id=vs0,path=${join(folder, "channel.sock")},server=on,wait=off`],
    ...["-device", "virtserialport,chardev=vs0,name=aleph.52"],
  ];
}

/** Under emulation the guest's time stamp counter is the host's. */
async function tscKhz(): Promise<number> {
  for await (const chunk of createReadStream("/proc/cpuinfo", "utf8")) {
    const [, mhz] = /cpu MHz\s*: ([\d.]+)/.exec(String(chunk)) ?? [];
    if (mhz !== undefined) return Math.round(Number(mhz) * 1_000);
  }
  throw new Error("/proc/cpuinfo names no frequency");
}
