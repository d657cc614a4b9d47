// Stands in for npm: notes packages as installed, without a registry. A file node_modules/.hold-install
// makes it wait; a package called no-such-package fails as the registry would say it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("node_modules", { recursive: true });
if (existsSync("node_modules/.hold-install")) {
  console.log("install is holding");
  setInterval(() => existsSync("node_modules/.hold-install") || process.exit(1), 20);
} else {
  install(process.argv.slice(2));
}

function install(specs) {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const wanted = [...specs, ...Object.keys(manifest.dependencies)];
  const unknown = wanted.find((spec) => spec.startsWith("no-such-package"));
  if (unknown) {
    console.error(`npm error code E404\nnpm error 404  '${unknown}' is not in this registry.`);
    process.exit(1);
  }
  for (const spec of specs) {
    const at = spec.lastIndexOf("@");
    manifest.dependencies[at > 0 ? spec.slice(0, at) : spec] = at > 0 ? spec.slice(at + 1) : "*";
  }
  if (specs.length) writeFileSync("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  const lock = JSON.stringify({ packages: manifest.dependencies });
  writeFileSync("package-lock.json", `${lock}\n`);
  writeFileSync("node_modules/.package-lock.json", lock);
  console.log(`installed ${specs.length} packages`);
}
