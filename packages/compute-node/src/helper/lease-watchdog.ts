import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./host-processes.ts";
import { readKept } from "./kept-json.ts";

/** Later than the helper, which knows to say why. */
const SLACK_SECONDS = 1;

/**
 * Ends machines whose lease is over, and ends itself when none has one. It is a shell and not ours, so that nothing but
 * the kernel has to work: it reads from each file a process, when that started, and until when it may run.
 */
const SCRIPT = `cd "$1" || exit 1
while :; do
  found=
  read -r now rest < /proc/uptime
  for lease in *.lease; do
    [ -e "$lease" ] || continue
    found=1
    read -r pid ticks ends < "$lease" || continue
    [ "\${now%.*}" -ge "$ends" ] || continue
    if read -r stat < "/proc/$pid/stat"; then
      set -- \${stat##*) }
      if [ "\${20}" = "$ticks" ]; then kill -KILL "$pid"; else rm -f "$lease"; fi
    else
      rm -f "$lease"
    fi
  done
  [ "$found" ] || exit 0
  sleep 1
done 2>/dev/null`;

/** All lines are as long: one takes the place of another without more room. */
const LINE_CHARACTERS = 64;

/** On a disk that is full the file is written where it is: machines must not end because others fill the disk. */
function replaceFile(file: string, line: string): void {
  const fresh = `${file}.tmp`;
  try {
    writeFileSync(fresh, line, { mode: 0o600 });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    if (!isDiskFull(error) || !existsSync(file)) throw error;
    writeFileSync(file, line, { flag: "r+" });
  }
}

export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Holds the leases of machines should the helper die, and nobody start it again: its node may be dead as well. */
export class LeaseWatchdog {
  readonly #folder: string;
  #process: ProcessIdentity | null;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#process = this.#recall();
  }

  write(vmHash: string, machine: ProcessIdentity, endsAtUptimeMs: number): void {
    const ends = Math.ceil(endsAtUptimeMs / 1_000) + SLACK_SECONDS;
    const text = `${machine.pid} ${machine.startTicks} ${ends}`.padEnd(LINE_CHARACTERS);
    replaceFile(this.#fileOf(vmHash), `${text}\n`);
    this.ensure();
  }

  remove(vmHash: string): void {
    rmSync(this.#fileOf(vmHash), { force: true });
  }

  /** Those of other machines are of an earlier boot of the host: their processes are others now. */
  keepOnly(vmHashes: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#folder)) {
      const [, vmHash] = /^(.+)\.lease(?:\.tmp)?$/.exec(name) ?? [];
      if (vmHash !== undefined && !vmHashes.has(vmHash)) rmSync(join(this.#folder, name), { force: true });
    }
  }

  /** Starts it where there are leases and none looks after them. */
  ensure(): void {
    if (this.#process !== null && isAlive(this.#process)) return;
    if (!readdirSync(this.#folder).some((name) => name.endsWith(".lease"))) return;
    const child = spawn("/bin/sh", ["-c", SCRIPT, "leases", this.#folder], {
      cwd: "/",
      detached: true,
      env: { PATH: "/usr/bin:/bin" },
      stdio: "ignore",
    });
    child.on("error", () => undefined);
    child.unref();
    this.#process = child.pid === undefined ? null : identify(child.pid);
    writeFileSync(this.#ownFile, JSON.stringify(this.#process), { mode: 0o600 });
  }

  /** That of an earlier helper goes on. */
  #recall(): ProcessIdentity | null {
    return readKept(this.#ownFile);
  }

  get #ownFile(): string {
    return join(this.#folder, "watchdog.json");
  }

  #fileOf(vmHash: string): string {
    return join(this.#folder, `${vmHash}.lease`);
  }
}
