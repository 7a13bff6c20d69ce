import {
  CONFIG_FILE_OPTION,
  environmentNameOf,
  fileKeyOf,
  flagOf,
  OPTION_KEYS,
  OPTIONS,
} from "../config/options.ts";

/** The text of docs/configuration.md, made from the table of options. */
export function renderConfigurationDocument(): string {
  return `${[INTRODUCTION, table(), ...sections()].join("\n\n")}\n`;
}

const INTRODUCTION = `# Configuration of a node

<!-- Made from the table of options in packages/node/src/config/options.ts by \`npm run docs\`. -->

Every setting is a flag of \`twentysix node\`, an environment variable and a key of a config file. A flag overrides the environment, the environment overrides the file. An unknown name or a bad value is answered with one line on standard error and exit code 2; unknown variables that begin with \`TWENTYSIX_\` are such names too.

The config file is one JSON object. It is named by \`${flagOf(CONFIG_FILE_OPTION)} FILE\` or \`${environmentNameOf(CONFIG_FILE_OPTION)}\`; relative paths in it start from its own folder, all others from the working directory.

\`\`\`json
{ "dataDir": "/var/lib/twentysix", "apiHost": "0.0.0.0", "maxDisk": "200GB", "trustedProxies": ["10.0.0.0/8"] }
\`\`\``;

function table(): string {
  const rows = OPTION_KEYS.map((key) => {
    const option = OPTIONS[key];
    const shown = option.defaultText === "" ? "(empty)" : `\`${option.defaultText}\``;
    return `| \`${flagOf(option)}\` | \`${environmentNameOf(option)}\` | \`${fileKeyOf(option)}\` | ${shown} |`;
  });
  return ["| flag | environment variable | config file key | default |", "|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function sections(): string[] {
  return OPTION_KEYS.map((key) => {
    const option = OPTIONS[key];
    const { placeholder, describe } = option.kind;
    const unit = "unit" in option ? ` Unit: ${option.unit}.` : "";
    return `### \`${flagOf(option)} ${placeholder}\`\n\n${option.help} Value: ${describe}.${unit}`;
  });
}
