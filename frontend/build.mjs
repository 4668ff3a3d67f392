// Builds the scripts and the style sheet into the web package; the same input gives the same bytes.
import { build } from "esbuild";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "../src/stafeta/web/static/web/dist");

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: {
    stafeta: "src/css/stafeta.css",
    theme: "src/theme.ts",
    main: "src/main.ts",
    editor: "src/editor.ts",
    codes: "src/codes.ts",
  },
  outdir,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020", "chrome100", "firefox100", "safari15"],
  charset: "utf8",
  legalComments: "eof",
  logLevel: "info",
});

// The web server sends these to browsers that take them.
for (const name of readdirSync(outdir)) {
  writeFileSync(join(outdir, `${name}.gz`), gzipSync(readFileSync(join(outdir, name)), { level: 9 }));
}
