// The same as idle_app.py on Node's http: closes idle connections after IDLE seconds and announces that in each response
// (`Keep-Alive: timeout=IDLE`).
//
//   node idle_app.js PORT IDLE
"use strict";
const http = require("http");

const seen = {};
const server = http.createServer((request, response) => {
  request.on("data", () => {});
  request.on("end", () => {
    let body = "ok\n";
    if (request.url === "/seen") {
      body = JSON.stringify(seen);
    } else if (request.url !== "/healthz") {
      const id = request.headers["x-id"];
      seen[id] = (seen[id] || 0) + 1;
    }
    response.setHeader("Content-Length", Buffer.byteLength(body));
    response.end(body);
  });
});
server.keepAliveTimeout = Number(process.argv[3]) * 1000;
server.listen(Number(process.argv[2]), "127.0.0.1", 1024);
