import { port } from "./number-kind.ts";
import { define } from "./option-definition.ts";
import { orWord } from "./option-kind.ts";
import { choice, host, path } from "./text-kinds.ts";

/** Settings of a scheduler (role `scheduler`). */
export const SCHEDULER_OPTIONS = {
  schedulerHost: define({
    name: "scheduler-host",
    kind: host(),
    defaultText: "127.0.0.1",
    help: "Address that the scheduler's HTTP API listens on; 0.0.0.0 or :: opens it to other machines.",
  }),
  schedulerPort: define({
    name: "scheduler-port",
    kind: port(),
    defaultText: "8082",
    help: "Port of the scheduler's HTTP API; 0 takes any free one.",
  }),
  schedulerKeyFile: define({
    name: "scheduler-key-file",
    kind: orWord(path("FILE"), "published"),
    defaultText: "published",
    help: "File with the private key that the scheduler signs with, which nobody but its owner may reach (mode 0600); published takes the key of the network's definition where everybody knows it.",
  }),
  schedulerMode: define({
    name: "scheduler-mode",
    kind: choice(["dispatch", "dry-run"]),
    defaultText: "dispatch",
    help: "Whether compute nodes are told what to run, or plans are only made and published.",
  }),
} as const;
