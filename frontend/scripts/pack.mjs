// Packs what was built, once and tightly, so that nobody packs it again for each request: .br for the binary,
// .gz for NGINX (`gzip_static`).
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist", import.meta.url).pathname;
const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter(
  (file) => file.isFile() && /\.(js|css|svg|html|txt)$/.test(file.name),
);
for (const { parentPath, path, name } of files) {
  const file = join(parentPath ?? path, name);
  const bytes = readFileSync(file);
  if (bytes.length < 512) continue;
  writeFileSync(
    `${file}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  );
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
