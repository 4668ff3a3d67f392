// Builds the scripts and the style sheet into the web package; the same input gives the same bytes.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
const leftOut = {
  "@noble/post-quantum/hybrid.js": "./src/pq_left_out.ts",
  "@noble/curves/nist.js": "./src/pq_left_out.ts",
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
    copy: "src/copy.ts",
    sealed: "src/sealed/sealed.ts",
  },
  format: "iife",
  alias: leftOut,
});
// Modules that a script fetches when somebody wants what they do.
await build({
  ...common,
  entryPoints: { reading: "src/sealed/reading.ts", strength: "src/sealed/strength.ts", scan: "src/scan.ts" },
  format: "esm",
});
await build({
  ...common,
  entryPoints: { card: "src/card.ts" },
  format: "esm",
  loader: { ".ttf": "base64" },
  external: ["canvg", "dompurify", "html2canvas"], // jsPDF's, for pictures and HTML; a card has neither
});

// The page inside every copy that an owner takes away: one file that needs nothing, under a policy that names its own bytes.
const { outputFiles } = await build({
  ...common,
  entryPoints: { open: "src/open.ts", style: "src/css/open.css" },
  format: "iife",
  alias: leftOut,
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "inline",
  write: false,
});
const built = (name) => outputFiles.find(({ path }) => path.endsWith(name)).text.trimEnd();
const script = built("open.js").replaceAll("<!--", "\\x3C!--"); // in a string or a pattern it says the same
const style = built("style.css");
if (/<!--|<\/script/i.test(script) || style.includes("<")) throw new Error("a mark in open.html would end its script or style early");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src blob:; base-uri 'none'; form-action 'none'`;
const filled = { "%POLICY%": policy, "%STYLE%": style, "%SCRIPT%": script };
const page = readFileSync(join(here, "open/open.html"), "utf8").replace(/%[A-Z]+%/g, (mark) => filled[mark]);
writeFileSync(join(outdir, "open.html"), page);

// The page that shows a PDF, and what PDF.js fetches when it needs it: its worker, the fonts that PDFs may rely on, and
// a decoder that stands in for one in WebAssembly, which the page's policy does not allow.
const pdfjs = join(here, "node_modules/pdfjs-dist");
const own = join(outdir, "pdfjs");
await build({ ...common, entryPoints: { pdf: "src/pdf.ts" }, format: "esm", external: ["canvas"] });
mkdirSync(own);
copyFileSync(join(pdfjs, "legacy/build/pdf.worker.min.mjs"), join(outdir, "pdf.worker.js"));
copyFileSync(join(pdfjs, "wasm/openjpeg_nowasm_fallback.js"), join(own, "openjpeg_nowasm_fallback.js"));
for (const name of ["LICENSE_OPENJPEG", "LICENSE_PDFJS_OPENJPEG"]) copyFileSync(join(pdfjs, "wasm", name), join(own, name));
for (const name of readdirSync(join(pdfjs, "standard_fonts"))) copyFileSync(join(pdfjs, "standard_fonts", name), join(own, name));
copyFileSync(join(pdfjs, "LICENSE"), join(own, "LICENSE"));

// The web server sends these to browsers that take them.
for (const name of readdirSync(outdir).filter((name) => /\.(js|css|html)$/.test(name))) {
  writeFileSync(join(outdir, `${name}.gz`), gzipSync(readFileSync(join(outdir, name)), { level: 9 }));
}
