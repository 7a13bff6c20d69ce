import type {
  BuildOptions,
  DiagnoseOptions,
  Finding,
  HelperSettings,
  HelperSurroundings,
  HypervisorCapabilities,
  ImageName,
  Inventory,
  PublishableImage,
  RunningHelper,
} from "@twentysix/compute-node";

/** What the commands use of the package that holds the compute node; loaded only by a command that needs it. */
export interface ComputeModule {
  runHelper(
    settings: HelperSettings,
    surroundings: HelperSurroundings,
    signal: AbortSignal,
  ): Promise<RunningHelper>;
  inspectHost(
    settings: HelperSettings,
    surroundings: HelperSurroundings,
    signal: AbortSignal,
  ): Promise<Inventory>;
  tryHost(
    settings: HelperSettings,
    surroundings: HelperSurroundings,
    signal: AbortSignal,
  ): Promise<HypervisorCapabilities>;
  diagnose(options: DiagnoseOptions): Promise<readonly Finding[]>;
  defaultImagesFolder(environment: Readonly<Record<string, string | undefined>>): string;
  defaultHelperSettings(dir: string): HelperSettings;
  buildImages(
    folder: string,
    options: BuildOptions,
    names?: readonly ImageName[],
  ): Promise<readonly PublishableImage[]>;
}
