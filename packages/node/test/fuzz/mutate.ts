import type { Random } from "@twentysix/platform";

type Json = unknown;
type Container = Json[] | Record<string, Json>;

/** Values that programs get wrong. Texts are put in as they are: some are not even JSON. */
const RAW_VALUES = [
  ..."null true false 0 -0 1 -1 0.1 1e308 1e400 -1e400 9007199254740993 18446744073709551616".split(" "),
  ...'253402300800 1e-7 00 .5 NaN Infinity 0x10 1_0 {} [] [[]] [null] {"a":{}} ""'.split(" "),
  '"\\ud800"',
  '"\\u0000"',
  '"\u{1f4a9}"',
  '"__proto__"',
  '{"__proto__":1}',
  '{"a":1,"a":2}',
  `"${"a".repeat(5_000)}"`,
  `${"[".repeat(300)}${"]".repeat(300)}`,
  "1".repeat(400),
];

export const pickOf = <T>(random: Random, items: readonly T[]): T => {
  const found = items[random.uniform(items.length)];
  if (found === undefined) throw new Error("There is nothing to pick from");
  return found;
};

const MARK = "\u{e000}raw";

/** JSON text of a value of which one to three places were changed, knowing its structure. */
export function mutateJson(random: Random, value: Json, words: readonly string[]): string {
  const copy = structuredClone(value);
  const raws: string[] = [];
  const changes = 1 + random.uniform(3);
  for (let n = 0; n < changes; n += 1) mutatePlace(random, copy, words, raws);
  const text = JSON.stringify(copy) ?? "null";
  return text.replaceAll(
    new RegExp(`"${MARK}([0-9]+)"`, "g"),
    (_all, index: string) => raws[Number(index)] ?? "0",
  );
}

function mutatePlace(random: Random, root: Json, words: readonly string[], raws: string[]): void {
  const container = pickOf(random, containersOf(root));
  const keys = Object.keys(container);
  const key = keys.length === 0 ? "0" : pickOf(random, keys);
  const set = (at: string, value: Json): void => {
    // `__proto__` as a key of its own, as JSON has it.
    Object.defineProperty(container, at, { value, enumerable: true, configurable: true, writable: true });
  };
  const old = (container as Record<string, Json>)[key];
  const isList = Array.isArray(container);
  const choice = random.uniform(9);
  if (choice === 0 && isList) container.splice(Number(key), 1);
  else if (choice === 0) delete (container as Record<string, Json>)[key];
  else if (choice < 4) set(key, `${MARK}${raws.push(pickOf(random, RAW_VALUES)) - 1}`);
  else if (choice === 4) set(key, typeof old === "string" ? mutateText(random, old) : [old]);
  else if (choice === 5)
    set(key, typeof old === "number" ? old * pickOf(random, [-1, 1e3, 1e-3, 1e9]) : String(old));
  else if (choice === 6) set(key, pickOf(random, words));
  else if (choice === 7) set(isList ? String(container.length) : pickOf(random, words), old);
  else set(key, { [key]: old, x: [old] });
}

function containersOf(root: Json): Container[] {
  if (typeof root !== "object" || root === null) return [{}];
  const found: Container[] = [];
  const walk = (value: Json): void => {
    if (typeof value !== "object" || value === null) return;
    found.push(value as Container);
    for (const child of Object.values(value)) walk(child);
  };
  walk(root);
  return found;
}

/** A text with a stretch of it removed, doubled, replaced or moved; well-formed or not. */
export function mutateText(random: Random, text: string): string {
  const start = random.uniform(text.length + 1);
  const end = Math.min(text.length, start + random.uniform(20));
  const [head, middle, tail] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  switch (random.uniform(6)) {
    case 0:
      return head + tail;
    case 1:
      return head + middle + middle + tail;
    case 2:
      return head + pickOf(random, RAW_VALUES) + tail;
    case 3:
      return head + tail + middle;
    case 4:
      return head + String.fromCharCode(random.uniform(0x1_0000)) + tail;
    default:
      return head + (random.uniform(2) === 0 ? middle.toUpperCase() : middle.toLowerCase()) + tail;
  }
}

/** Bytes with one to four stretches flipped, cut, doubled or replaced. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let result = Buffer.from(bytes);
  const changes = 1 + random.uniform(4);
  for (let n = 0; n < changes; n += 1) {
    const start = random.uniform(result.length + 1);
    const end = Math.min(result.length, start + random.uniform(40));
    const [head, middle, tail] = [
      result.subarray(0, start),
      result.subarray(start, end),
      result.subarray(end),
    ];
    const pieces = pickOf<() => Uint8Array[]>(random, [
      () => [head, tail],
      () => [head],
      () => [head, middle, middle, tail],
      () => [head, random.randomBytes(middle.length), tail],
      () => [head, middle.map((byte) => byte ^ (1 << random.uniform(8))), tail],
      () => [head, Buffer.alloc(random.uniform(12), 0xff), tail],
    ])();
    result = Buffer.concat(pieces);
  }
  return new Uint8Array(result);
}
