import type { BlockEntry } from "./block-index.ts";
import type { ByteSource } from "./byte-source.ts";
import { type Block, RAW } from "./cids.ts";
import { type DagLayout, FIXED_LAYOUT, LAYOUT_V0 } from "./dag-layout.ts";
import { type DagPart, FileDagBuilder } from "./file-dag-builder.ts";

/** Under which names a plain file is offered as a DAG: as Kubo adds it by default, or under the fixed parameters. */
export type FileDagName = "cidV0" | "fixedCid";

const LAYOUTS: Readonly<Record<FileDagName, DagLayout>> = { cidV0: LAYOUT_V0, fixedCid: FIXED_LAYOUT };

/** The DAG of a plain file: where its leaves stand in the file, and the few nodes above them. */
export interface FileDag {
  readonly root: DagPart;
  readonly leaves: readonly BlockEntry[];
  readonly nodes: readonly Block[];
}

/** Computes DAGs of a file while its bytes pass by on their way to the disk. */
export class FileImport {
  readonly #dags: { name: FileDagName; builder: FileDagBuilder; leaves: BlockEntry[]; nodes: Block[] }[];

  constructor(names: readonly FileDagName[]) {
    this.#dags = names.map((name) => {
      const leaves: BlockEntry[] = [];
      const nodes: Block[] = [];
      const builder = new FileDagBuilder(LAYOUTS[name], {
        onLeaf: ({ cid, chunk, offsetBytes }) => {
          leaves.push({
            digest: cid.multihash.digest,
            holder: "file",
            offsetBytes,
            lengthBytes: chunk.byteLength,
            isWrapped: cid.code !== RAW,
          });
        },
        onNode: (node) => nodes.push(node),
      });
      return { name, builder, leaves, nodes };
    });
  }

  /** The bytes as they come; `atEnd` sees the result before the consumer learns that the source has ended. */
  async *pass(
    source: ByteSource,
    atEnd: (dags: ReadonlyMap<FileDagName, FileDag>) => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of source) {
      for (const { builder } of this.#dags) builder.update(piece);
      yield piece;
    }
    const dags = this.#dags.map(
      ({ name, builder, leaves, nodes }) => [name, { root: builder.finish(), leaves, nodes }] as const,
    );
    atEnd(new Map(dags));
  }
}
