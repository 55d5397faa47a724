// node ws_client.js PROXY_PORT SERVICE SOCKETS: so many WebSockets (ws) at once, each sends texts and binaries of 0 bytes to
// 4 MB, half of them without waiting for the echo, pings, and closes with a code that must come back. Prints JSON.
'use strict';
const crypto = require('crypto');
const WebSocket = require('ws');

const [port, service, sockets] = process.argv.slice(2);
const sizes = [0, 1, 125, 126, 65535, 65536, 1000003, 4194304];
const messages = sizes.flatMap((size) => [crypto.randomBytes(size), 'x'.repeat(size)]);

function one(number) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, {headers: {host: service}, maxPayload: 64 << 20});
    const flood = number % 2 === 1;
    let sent = 0;
    let came = 0;
    let ponged = false;
    const next = () => socket.send(messages[sent++]);
    socket.on('open', () => {
      socket.ping('ping');
      if (flood) while (sent < messages.length) next();
      else next();
    });
    socket.on('pong', (data) => { ponged = data.toString() === 'ping'; });
    socket.on('message', (data, binary) => {
      const wanted = messages[came++];
      if (binary === (typeof wanted === 'string') || Buffer.compare(Buffer.from(wanted), Buffer.from(data)) !== 0) {
        reject(new Error(`message ${came - 1} came back changed`));
      } else if (came === messages.length) {
        socket.close(4321, 'done');
      } else if (!flood) {
        next();
      }
    });
    socket.on('close', (code) => (code === 4321 && ponged && came === messages.length ? resolve() :
      reject(new Error(`closed with ${code} after ${came} messages, pong ${ponged}`))));
    socket.on('error', reject);
    socket.on('unexpected-response', (_, res) => {
      let said = '';
      res.on('data', (piece) => { said += piece; });
      res.on('end', () => reject(new Error(`${res.statusCode} ${said}`)));
    });
  });
}

Promise.allSettled(Array.from({length: Number(sockets)}, (_, number) => one(number))).then((outcomes) => {
  const problems = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => String(outcome.reason));
  console.log(JSON.stringify({done: outcomes.length - problems.length, problems}));
});
