// Bundle what d3.js names, with the licence of each package: node build.mjs OUTFILE.
// `make vendor` runs this for the site, in a folder of its own.

import { readFileSync } from "node:fs";
import { build } from "esbuild";

const outfile = process.argv[2];
const read = (name) => readFileSync(new URL(`node_modules/${name}`, import.meta.url), "utf-8");

const { metafile } = await build({
  entryPoints: ["d3.js"],
  bundle: true,
  write: false,
  metafile: true,
  outfile,
});
const [{ inputs }] = Object.values(metafile.outputs);
const used = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
const names = used.map((path) => path.match(/^node_modules\/([^/]+)/)?.[1]);
const packages = [...new Set(names.filter(Boolean))].sort();

// All are under the same licence, each with a line of its own about who holds the copyright.
const headings = [];
const terms = new Set();
for (const name of packages) {
  const [copyright, ...rest] = read(`${name}/LICENSE`).trim().split("\n");
  headings.push(`${name} ${JSON.parse(read(`${name}/package.json`)).version}. ${copyright}`);
  terms.add(rest.join("\n").trim());
}
if (terms.size !== 1) throw new Error(`licences differ, look at them: ${packages.join(", ")}`);

await build({
  entryPoints: ["d3.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "d3",
  legalComments: "none",
  banner: { js: `/*\n${headings.join("\n")}\n\n${[...terms][0]}\n*/` },
  outfile,
});
