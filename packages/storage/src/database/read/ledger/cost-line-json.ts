import { type CostLine, formatAtto } from "@twentysix/protocol";

/** One line of a bill as the API writes it; `size_mib` is null unless sizes are wanted and the line has one. */
export function costLineJson(
  line: CostLine,
  withSize: boolean,
): Readonly<Record<string, string | number | null>> {
  return {
    type: line.type,
    name: line.name,
    cost_hold: formatAtto(line.holdAtto),
    cost_stream: formatAtto(line.streamAttoPerSecond),
    cost_credit: formatAtto(line.creditAttoPerSecond),
    size_mib: withSize && line.sizeMib !== null ? line.sizeMib.toNumber() : null,
  };
}
