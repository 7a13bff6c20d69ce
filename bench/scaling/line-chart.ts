export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Dots for what was measured, lines for what was computed. */
  readonly kind: "line" | "dots";
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 76;
const RIGHT = 190;
const TOP = 44;
const BOTTOM = 52;
const COLOURS = ["#1d4ed8", "#b91c1c", "#15803d", "#a16207", "#7e22ce"];

/** A chart with logarithmic axes as an SVG document, the same for the same figures. */
export function lineChart({ title, x, y, series }: LineChart): string {
  const all = series.flatMap(({ points }) => points).filter(([, value]) => value > 0);
  const xs = decades(all.map(([at]) => at));
  const ys = decades(all.map(([, at]) => at));
  const left = (value: number): number => scale(value, xs, LEFT, WIDTH - RIGHT);
  const top = (value: number): number => scale(value, ys, HEIGHT - BOTTOM, TOP);
  const grid = [
    ...ticks(xs).map((at) => upright(left(at), label(at))),
    ...ticks(ys).map((at) => level(top(at), label(at))),
  ];
  const drawn = series.map((one, index) => drawSeries(one, index, left, top));
  const legend = series.map((one, index) => legendLine(one, index));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 24, title, 'font-size="15" font-weight="bold"'),
    ...grid,
    `<rect x="${LEFT}" y="${TOP}" width="${WIDTH - RIGHT - LEFT}" height="${HEIGHT - BOTTOM - TOP}" fill="none" stroke="#475569"/>`,
    ...drawn,
    ...legend,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x, 'text-anchor="middle"'),
    text(
      0,
      0,
      y,
      `text-anchor="middle" transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"`,
    ),
    "</svg>",
    "",
  ].join("\n");
}

type Range = readonly [least: number, most: number];

/** From one power of ten, or its half, to another. */
function decades(values: readonly number[]): Range {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return [stepDown(least), stepUp(Math.max(most, stepDown(least) * 2))];
}

const STEPS = [1, 2, 5, 10];
const power = (value: number): number => 10 ** Math.floor(Math.log10(value));
const stepDown = (value: number): number =>
  power(value) * (STEPS.findLast((step) => step * power(value) <= value) ?? 1);
const stepUp = (value: number): number =>
  power(value) * (STEPS.find((step) => step * power(value) >= value) ?? 10);

function ticks([least, most]: Range): number[] {
  const found: number[] = [];
  for (let at = power(least); at <= most * 1.001; at *= 10)
    for (const step of STEPS.slice(0, 3)) {
      const value = at * step;
      if (value >= least * 0.999 && value <= most * 1.001) found.push(value);
    }
  return found;
}

function scale(value: number, [least, most]: Range, from: number, to: number): number {
  const share = (Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least));
  return Math.round((from + share * (to - from)) * 10) / 10;
}

const label = (value: number): string =>
  value >= 1_000 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(3)));

const escaped = (value: string): string => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (x: number, y: number, value: string, more = ""): string =>
  `<text x="${x}" y="${y}" fill="#0f172a" ${more}>${escaped(value)}</text>`;

const upright = (x: number, name: string): string =>
  `<line x1="${x}" y1="${TOP}" x2="${x}" y2="${HEIGHT - BOTTOM}" stroke="#e2e8f0"/>${text(x, HEIGHT - BOTTOM + 18, name, 'text-anchor="middle"')}`;
const level = (y: number, name: string): string =>
  `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#e2e8f0"/>${text(LEFT - 8, y + 4, name, 'text-anchor="end"')}`;

const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? "#000000";

function drawSeries(
  { points, kind }: Series,
  index: number,
  left: (value: number) => number,
  top: (value: number) => number,
): string {
  const seen = points.filter(([, value]) => value > 0);
  if (kind === "dots")
    return seen
      .map(([x, y]) => `<circle cx="${left(x)}" cy="${top(y)}" r="4.5" fill="${colour(index)}"/>`)
      .join("");
  const path = seen.map(([x, y], at) => `${at === 0 ? "M" : "L"}${left(x)} ${top(y)}`).join(" ");
  return `<path d="${path}" fill="none" stroke="${colour(index)}" stroke-width="2"/>`;
}

function legendLine({ name, kind }: Series, index: number): string {
  const y = TOP + 14 + index * 20;
  const x = WIDTH - RIGHT + 12;
  const mark =
    kind === "dots"
      ? `<circle cx="${x + 8}" cy="${y - 4}" r="4.5" fill="${colour(index)}"/>`
      : `<line x1="${x}" y1="${y - 4}" x2="${x + 16}" y2="${y - 4}" stroke="${colour(index)}" stroke-width="2"/>`;
  return `${mark}${text(x + 22, y, name)}`;
}
