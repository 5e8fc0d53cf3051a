// Compiles the practice contracts. `node scripts/compile-contracts.mjs [OUT]` writes bot/drill/chain/artifacts.json,
// or OUT (a dash: standard output). The metadata hash is off, so the same sources always give the same bytes.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const solc = createRequire(join(root, "package.json"))("solc");
const folder = join(root, "bot/drill/chain/contracts");
const out = process.argv[2] ?? join(root, "bot/drill/chain/artifacts.json");

const sources = {};
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith(".sol")) sources[file] = { content: readFileSync(join(folder, file), "utf8") };
}
const input = {
  language: "Solidity",
  sources,
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "cancun",
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};
const readImport = (path) => {
  try {
    return { contents: readFileSync(join(root, "node_modules", path), "utf8") };
  } catch (error) {
    return { error: `${path}: ${error.message}; run npm ci` };
  }
};

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if ((output.errors ?? []).some((problem) => problem.severity === "error")) process.exit(1);

const artifacts = {};
for (const file of Object.keys(sources)) {
  const name = file.replace(/\.sol$/, "");
  const { abi, evm } = output.contracts[file][name];
  if (evm.bytecode.object === "") continue; // abstract
  artifacts[name] = { abi, bytecode: `0x${evm.bytecode.object}`, deployedBytecode: `0x${evm.deployedBytecode.object}` };
}
const text = `${JSON.stringify(artifacts, null, 1)}\n`;
if (out === "-") process.stdout.write(text);
else writeFileSync(out, text);
