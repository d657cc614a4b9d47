// Serves the folder. A page with the word BROKEN answers 500. A file node_modules/.hold-server keeps it from
// starting; /environment/NAME answers that variable and prints it. A helper process of its own session stands for what real dev servers leave behind.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const [host, port] = process.argv.slice(2);
spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
console.log("tiny server");
if (existsSync("node_modules/.hold-server")) {
  console.log("server is holding");
  setInterval(() => {}, 1000);
} else {
  createServer((request, response) => {
    if (request.url.startsWith("/environment/")) {
      const value = process.env[request.url.split("/")[2]] ?? "(none)";
      console.log(`it is ${value}`);
      return response.end(value);
    }
    const path = request.url === "/" ? "index.html" : request.url.slice(1).split("?")[0];
    if (!existsSync(path)) return response.writeHead(404).end();
    const body = readFileSync(path);
    const broken = path === "index.html" && body.includes("BROKEN");
    const type = { js: "text/javascript", css: "text/css" }[path.split(".").pop()] ?? "text/html";
    response.writeHead(broken ? 500 : 200, { "content-type": type }).end(body);
  }).listen(Number(port), host);
}
