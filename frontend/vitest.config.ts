import { readFileSync } from "node:fs";

import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    {
      name: "fonts as their bytes in base64, as build.mjs has them",
      enforce: "pre",
      load: (path) => (path.endsWith(".ttf") ? `export default "${readFileSync(path).toString("base64")}"` : null),
    },
  ],
});
