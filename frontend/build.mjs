// Builds the scripts and the style sheet into the web package; the same input gives the same bytes.
import { build } from "esbuild";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "../src/stafeta/web/static/web/dist");

rmSync(outdir, { recursive: true, force: true });
const common = {
  absWorkingDir: here,
  outdir,
  bundle: true,
  minify: true,
  target: ["es2020", "chrome100", "firefox100", "safari15"],
  charset: "utf8",
  legalComments: "eof",
  logLevel: "info",
};
await build({
  ...common,
  entryPoints: {
    stafeta: "src/css/stafeta.css",
    theme: "src/theme.ts",
    main: "src/main.ts",
    editor: "src/editor.ts",
    codes: "src/codes.ts",
    uploads: "src/uploads.ts",
  },
  format: "iife",
});
// Modules that a script fetches when somebody wants what they do.
await build({
  ...common,
  entryPoints: { card: "src/card.ts" },
  format: "esm",
  loader: { ".ttf": "base64" },
  external: ["canvg", "dompurify", "html2canvas"], // jsPDF's, for pictures and HTML; a card has neither
});

// The web server sends these to browsers that take them.
for (const name of readdirSync(outdir)) {
  writeFileSync(join(outdir, `${name}.gz`), gzipSync(readFileSync(join(outdir, name)), { level: 9 }));
}
