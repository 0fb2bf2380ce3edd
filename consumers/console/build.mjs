// Builds the analyst's page: src/ -> dist/, with the content's hash in every
// name under assets/, a .gz beside each file worth one, and the licences of
// everything that went in. `--watch` rebuilds on change, `--test` runs
// src/*.test.ts instead.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const modules = join(root, "node_modules");

if (!existsSync(join(modules, "esbuild"))) {
  console.error("console: the npm packages are missing; run `npm ci` in consumers/console first");
  process.exit(1);
}
const esbuild = await import("esbuild");

/** Writes content under assets/ with its hash in the name; gives the URL. */
function asset(name, content) {
  const dot = name.lastIndexOf(".");
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const hashed = `${name.slice(0, dot)}.${hash}${name.slice(dot)}`;
  writeFileSync(join(dist, "assets", hashed), content);
  return `/assets/${hashed}`;
}

// A reference to a source map we do not ship would be a 404 in the browser.
const withoutMap = (text) => text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");

/** Everything the bundle fetches by URL, and the constants that name it. */
function fetched() {
  const worker = readFileSync(join(modules, "maplibre-gl/dist/maplibre-gl-worker.mjs"), "utf8");
  const counties = readFileSync(join(modules, "us-atlas/counties-10m.json"));
  return {
    WORKER_URL: JSON.stringify(asset("map-worker.mjs", withoutMap(worker))),
    COUNTIES_URL: JSON.stringify(asset("counties.json", counties)),
  };
}

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { main: "src/main.tsx", style: "src/style/index.css" },
    outdir: "dist/assets",
    entryNames: "[name].[hash]",
    chunkNames: "[name].[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: ["es2022", "chrome115", "firefox115", "safari17"],
    jsx: "automatic",
    jsxImportSource: "preact",
    define: fetched(),
    minify: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return result.metafile;
}

/** The output of an entry point, as a URL. */
function outputOf(meta, entry) {
  const found = Object.entries(meta.outputs).find(([, o]) => o.entryPoint === entry);
  if (!found) throw new Error(`console: ${entry} made no output`);
  return "/" + relative("dist", found[0]);
}

function page(meta) {
  const html = readFileSync(join(root, "src/index.html"), "utf8")
    .replace("%MAIN%", outputOf(meta, "src/main.tsx"))
    .replace("%STYLE%", outputOf(meta, "src/style/index.css"));
  if (html.includes("%")) throw new Error("console: a placeholder is left in index.html");
  writeFileSync(join(dist, "index.html"), html);
}

/** Names of the packages whose code or data is in the build. */
function packagesIn(meta) {
  const names = new Set(["maplibre-gl", "us-atlas"]);
  for (const input of Object.keys(meta.inputs)) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  // MapLibre's published file already holds its own dependencies.
  const own = JSON.parse(readFileSync(join(modules, "maplibre-gl/package.json"), "utf8"));
  for (const name of Object.keys(own.dependencies)) {
    if (!name.startsWith("@types/")) names.add(name);
  }
  return [...names].sort();
}

function licences(meta) {
  const parts = ["Packages in this build of the Watchfloor console, with their licences.\n"];
  for (const name of packagesIn(meta)) {
    const folder = join(modules, name);
    const info = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const files = readdirSync(folder).filter((f) => /^(licen[cs]e|copying)/i.test(f)).sort();
    const text = files.map((f) => readFileSync(join(folder, f), "utf8").trim()).join("\n\n");
    parts.push(`${"-".repeat(72)}\n${name} ${info.version} (${info.license ?? "see below"})\n\n${text || "No licence file in the package."}\n`);
  }
  parts.push(`${"-".repeat(72)}\nCounty and state outlines: U.S. Census Bureau, public domain.\n`);
  writeFileSync(join(dist, "licenses.txt"), parts.join("\n"));
}

/** Writes the .gz twins; gives [name, bytes, compressed bytes] of each file. */
function compress(folder) {
  const sizes = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = join(folder, entry.name);
    if (entry.isDirectory()) {
      sizes.push(...compress(name));
    } else if (!entry.name.startsWith(".")) {
      const plain = readFileSync(name);
      const packed = gzipSync(plain, { level: 9 });
      // The time stamp in the header is zero, so equal input is an equal file.
      if (packed.length < plain.length * 0.9) writeFileSync(`${name}.gz`, packed);
      sizes.push([relative(dist, name), plain.length, packed.length]);
    }
  }
  return sizes;
}

function clear() {
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    if (name !== ".gitkeep") rmSync(join(dist, name), { recursive: true });
  }
  mkdirSync(join(dist, "assets"), { recursive: true });
}

async function build() {
  clear();
  const meta = await bundle();
  page(meta);
  licences(meta);
  const kib = (n) => (n / 1024).toFixed(1).padStart(8);
  let [plain, packed] = [0, 0];
  for (const [name, a, b] of compress(dist)) {
    console.log(`${kib(a)} KiB ${kib(b)} KiB gz  ${name}`);
    plain += a;
    packed += b;
  }
  console.log(`${kib(plain)} KiB ${kib(packed)} KiB gz  total`);
}

async function test() {
  const out = join(root, "node_modules/.cache/watchfloor-test");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(root, "src")).filter((f) => f.endsWith(".test.ts"));
  if (tests.length === 0) throw new Error("console: no tests found in src/");
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: tests.map((f) => join("src", f)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    define: { WORKER_URL: '""', COUNTIES_URL: '""' },
  });
  const files = tests.map((f) => join(out, basename(f, ".ts") + ".mjs"));
  execFileSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
}

const mode = process.argv[2];
if (mode === "--test") {
  await test().catch((e) => {
    console.error(e.message);
    process.exit(1);
  });
} else {
  await build();
  if (mode === "--watch") {
    let timer;
    watch(join(root, "src"), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => build().catch((e) => console.error(e.message)), 100);
    });
  }
}
