import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = ["aleph-message==1.4.0", "orjson==3.13.0", "pydantic==2.14.3"];
const INSTALL_TIMEOUT_MS = 120_000;
const ANSWER_TIMEOUT_MS = 120_000;

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const environment = `${root}.cache/differential-1.4.0`;
const python = `${environment}/bin/python`;

export interface Question {
  /** A message type, or what else the reference can judge. */
  readonly kind: string;
  readonly text: string;
}

export type Reference =
  | { readonly available: true; readonly ask: (questions: readonly Question[]) => boolean[] }
  | { readonly available: false; readonly reason: string };

/**
 * The schemas of the reference in a Python environment of their own, which is made on the first use and kept in
 * the cache folder of the repository. Not available without Python or without a package index.
 */
export function openReference(): Reference {
  if (!existsSync(`${environment}/ready`)) {
    const problem = install();
    if (problem !== null) return { available: false, reason: problem };
  }
  return { available: true, ask };
}

function install(): string | null {
  mkdirSync(`${root}.cache`, { recursive: true });
  const steps: [string, string[]][] = [
    ["python3", ["-m", "venv", "--clear", environment]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]],
    ["touch", [`${environment}/ready`]],
  ];
  for (const [command, parameters] of steps) {
    const { status, stderr, error } = spawnSync(command, parameters, {
      encoding: "utf8",
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (status !== 0) {
      return `${command} ${parameters.slice(0, 3).join(" ")}: ${error?.message ?? stderr.trim().slice(-300)}`;
    }
  }
  return null;
}

/** One answer a question, in the same order: does the reference accept it? */
function ask(questions: readonly Question[]): boolean[] {
  const script = fileURLToPath(new URL("./reference.py", import.meta.url));
  const input = questions.map((question) => JSON.stringify(question)).join("\n");
  const { status, stdout, stderr } = spawnSync(python, [script], {
    input,
    encoding: "utf8",
    timeout: ANSWER_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  const answers = stdout.trim().split("\n");
  if (status !== 0 || answers.length !== questions.length) {
    throw new Error(
      `the reference gave ${answers.length} answers to ${questions.length} questions: ${stderr}`,
    );
  }
  return answers.map((answer) => answer === "1");
}
