import type { MachineVolume } from "../content/volumes.ts";
import { isImmutableVolume } from "../content/volumes.ts";
import { floorToAtto, PriceDecimal, ZERO } from "./amount.ts";
import { amountsOf, type CostLine, type CostType, sumAmounts } from "./cost-line.ts";
import type { ExecutableContent } from "./execution-cost.ts";
import type { ProductPriceBook, UnitPrices } from "./price-book.ts";

/** A file whose size decides a price. */
export interface PricedFile {
  /** The STORE message that names it. */
  readonly hash: string;
  /** The newest file of the tag of that name, instead of the file of exactly that message. */
  readonly useLatest: boolean;
  /** Which part of the content asks: `code`, `runtime`, `data`, or the position of a volume. */
  readonly part: "code" | "runtime" | "data" | number;
}

/** MiB of a file, an exact binary fraction; null when it cannot be resolved: then there is no line. */
export type SizeOf = (file: PricedFile) => PriceDecimal | null;

/** The lines of all disks of a machine. */
export function volumeLines(
  typed: ExecutableContent,
  storage: UnitPrices,
  sizeOf: SizeOf,
  paysCredits: boolean,
): CostLine[] {
  const line = (
    type: CostType,
    name: string,
    ref: string | null,
    sizeMib: PriceDecimal | null,
  ): CostLine[] =>
    sizeMib === null
      ? []
      : [{ type, name, ref, sizeMib, quantity: sizeMib, ...amountsOf(storage, sizeMib, paysCredits) }];
  return [
    ...ownDisks(typed, sizeOf, line),
    ...(typed.type === "V-PROGRAM" ? [] : typed.content.volumes).flatMap((volume, index) =>
      attachedVolume(volume, index, sizeOf, line),
    ),
  ];
}

type MakeLine = (
  type: CostType,
  name: string,
  ref: string | null,
  sizeMib: PriceDecimal | null,
) => CostLine[];

function ownDisks(typed: ExecutableContent, sizeOf: SizeOf, line: MakeLine): CostLine[] {
  if (typed.type === "INSTANCE") {
    const type = "EXECUTION_INSTANCE_VOLUME_ROOTFS";
    const { parent, size_mib: sizeMib } = typed.content.rootfs;
    return line(type, type, parent.ref, new PriceDecimal(sizeMib));
  }
  if (typed.type === "V-PROGRAM") return [];
  const { code, runtime, data } = typed.content;
  const file = (
    type: CostType,
    part: "code" | "runtime" | "data",
    ref: string,
    useLatest: boolean,
  ): CostLine[] => line(type, type, ref, sizeOf({ hash: ref, useLatest, part }));
  return [
    ...file("EXECUTION_PROGRAM_VOLUME_CODE", "code", code.ref, code.use_latest),
    ...file("EXECUTION_PROGRAM_VOLUME_RUNTIME", "runtime", runtime.ref, runtime.use_latest),
    ...(data === null
      ? []
      : file("EXECUTION_PROGRAM_VOLUME_DATA", "data", data.ref, data.use_latest ?? false)),
  ];
}

function attachedVolume(volume: MachineVolume, index: number, sizeOf: SizeOf, line: MakeLine): CostLine[] {
  if (isImmutableVolume(volume)) {
    const type = "EXECUTION_VOLUME_INMUTABLE";
    const size = sizeOf({ hash: volume.ref, useLatest: volume.use_latest, part: index });
    return line(type, volumeName(index, volume.mount, type), volume.ref, size);
  }
  const type = "EXECUTION_VOLUME_PERSISTENT";
  return line(type, volumeName(index, volume.mount, type), null, new PriceDecimal(volume.size_mib));
}

/** A volume without a mount is named after its type, in the form that nodes of the network store. */
function volumeName(index: number, mount: string | null, type: CostType): string {
  return `#${index}:${mount === null || mount === "" ? `CostType.${type}` : mount}`;
}

/**
 * The disk that comes with the compute units, as a negative line: never more than the volumes cost. The floor is
 * towards minus infinity, so it can exceed the allowance by 10^-18.
 */
export function discountLine(book: ProductPriceBook, units: number, volumes: readonly CostLine[]): CostLine {
  const allowedMib = new PriceDecimal(book.unit.diskMib).times(units);
  const spent = sumAmounts(volumes);
  const discount = (rate: PriceDecimal, spentAtto: bigint): bigint => {
    const allowance = floorToAtto(ZERO.minus(allowedMib.times(rate)));
    return larger(-spentAtto, allowance);
  };
  const { storage } = book;
  return {
    type: "EXECUTION_VOLUME_DISCOUNT",
    name: "EXECUTION_VOLUME_DISCOUNT",
    ref: null,
    sizeMib: null,
    quantity: allowedMib,
    holdAtto: discount(storage.hold, spent.holdAtto),
    streamAttoPerSecond: discount(storage.streamPerSecond, spent.streamAttoPerSecond),
    creditAttoPerSecond: discount(storage.creditPerSecond, spent.creditAttoPerSecond),
  };
}

function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
