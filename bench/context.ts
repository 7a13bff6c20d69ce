/** What every suite gets; they run one after the other on the same data. */
export interface BenchContext {
  /** Data folder of the nodes under test; the first suite fills it. */
  readonly dataDir: string;
  /** Where the nodes under test keep their records: the file in that folder, or the URL of a database on a server. */
  readonly database: string;
  /** What tells the commands so. */
  readonly databaseFlags: readonly string[];
  /** Messages that the data folder holds once it is filled. */
  readonly messages: number;
  /** The file with the messages of the corpus from one line to before another. */
  corpusPath(from: number, to: number): Promise<string>;
  say(text: string): void;
}
