import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Measured, readCalibration } from "./calibration.ts";
import { type LineChart, lineChart, type Series } from "./line-chart.ts";
import { fitModel, type Point, repairBytesPerDay } from "./model.ts";

/*
 * `npm run scaling`: the plots of docs/scaling.md and a table, from what bench/scaling/measure.ts has measured.
 */

const FOLDER = fileURLToPath(new URL("../../docs/scaling/", import.meta.url));
const NODES = [2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 700, 1_000];
const TOLD = [3, 8, 20, 100, 300, 1_000];
const STORED_BYTES = 1e12;
const CHURN_PER_DAY = 0.1;

const { measured } = readCalibration();
const model = fitModel({ takenAt: "", measured });
const points = NODES.map((nodes) => model.point(nodes));

const computed = (name: string, of: (point: Point) => number): Series => ({
  name,
  kind: "line",
  points: points.map((point) => [point.nodes, of(point)]),
});
const seen = (of: (one: Measured) => number): Series => ({
  name: "measured",
  kind: "dots",
  points: measured.map((one) => [one.nodes, of(one)]),
});
const repair = (name: string, copies: number | null): Series => ({
  name,
  kind: "line",
  points: NODES.filter((nodes) => nodes >= (copies ?? 0)).map((nodes) => [
    nodes,
    repairBytesPerDay({ nodes, storedBytes: STORED_BYTES, copies, churnPerDay: CHURN_PER_DAY }) / 1e9,
  ]),
});

const CHARTS: Readonly<Record<string, LineChart>> = {
  "bytes-per-message": {
    title: "Bytes that a node receives for one message",
    x: "nodes",
    y: "bytes",
    series: [computed("model", (one) => one.bytesPerMessage), seen((one) => one.perMessage.receivedBytes)],
  },
  "cpu-per-message": {
    title: "Processor time of a node for one message",
    x: "nodes",
    y: "ms",
    series: [computed("model", (one) => one.cpuMsPerMessage), seen((one) => one.perMessage.cpuMs)],
  },
  idle: {
    title: "Bytes a second that a node receives when nothing is published",
    x: "nodes",
    y: "bytes/s",
    series: [
      computed("model", (one) => one.idleBytesPerSecond),
      seen((one) => one.idlePerSecond.receivedBytes),
    ],
  },
  spread: {
    title: "From publication until nodes have the message, over the internet",
    x: "nodes",
    y: "ms",
    series: [
      computed("half of the nodes", (one) => one.spreadMs.half),
      computed("99 %", (one) => one.spreadMs.most),
      computed("all", (one) => one.spreadMs.all),
    ],
  },
  repair: {
    title: "Repair: a node's traffic a day, 1 TB stored, 10 % of nodes replaced",
    x: "nodes",
    y: "GB received a day",
    series: [repair("everyone keeps all", null), repair("5 copies", 5), repair("3 copies", 3)],
  },
};

mkdirSync(FOLDER, { recursive: true });
for (const [name, chart] of Object.entries(CHARTS)) writeFileSync(`${FOLDER}${name}.svg`, lineChart(chart));

const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
const rows = TOLD.map((nodes) => {
  const one = model.point(nodes);
  const cells = [
    one.copies,
    one.bytesPerMessage / 1e3,
    one.cpuMsPerMessage,
    1_000 / one.cpuMsPerMessage,
    one.idleBytesPerSecond / 1e3,
    one.idleCpuMsPerSecond,
    one.spreadMs.half,
    one.spreadMs.all,
  ];
  return `| ${[nodes.toLocaleString("en-US"), ...cells.map(round)].join(" | ")} |`;
});
process.stdout.write(
  [
    "| nodes | copies received | KB a message | CPU ms a message | messages/s of one core | idle KB/s | idle CPU ms/s | half have it, ms | all, ms |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    JSON.stringify(model.fit, null, 1),
    "",
  ].join("\n"),
);
