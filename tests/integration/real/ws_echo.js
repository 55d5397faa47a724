// node ws_echo.js PORT: a WebSocket echo (ws) beside plain HTTP. Finds ws where Debian puts it: NODE_PATH.
'use strict';
const http = require('http');
const WebSocket = require('ws');

const server = http.createServer((req, res) => {
  res.writeHead(req.url === '/healthz' ? 200 : 404);
  res.end();
});
new (WebSocket.WebSocketServer || WebSocket.Server)({server, path: '/echo', maxPayload: 64 << 20}).on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, {binary}));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
