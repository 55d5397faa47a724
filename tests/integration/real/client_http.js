// node client_http.js PROXY_PORT SERVICE FILE COUNT: node's own http through the proxy (absolute form, an agent that keeps
// connections), 32 at a time: GET /chunked with its trailer, GET /bytes, POST /hash with and without a length. Prints JSON.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const [port, service, file, count] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
const hashOf = (data) => crypto.createHash('sha256').update(data).digest('hex');
const sha256 = hashOf(bytes);
const agent = new http.Agent({keepAlive: true, maxSockets: 32});

function call(method, path, body, framed) {
  return new Promise((resolve, reject) => {
    const headers = {host: service, ...(framed ? {'content-length': body.length} : {})};
    const req = http.request({port, host: '127.0.0.1', agent, method, path: `http://${service}${path}`, headers}, (res) => {
      const pieces = [];
      res.on('data', (piece) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => resolve({status: res.statusCode, body: Buffer.concat(pieces), trailers: res.trailers}));
    });
    req.on('error', reject);
    if (body) {
      for (let at = 0; at < body.length; at += 50000) req.write(body.subarray(at, at + 50000));
    }
    req.end();
  });
}

async function one(number) {
  const kind = number % 4;
  const answer = kind === 0 ? await call('GET', '/bytes') :
    kind === 1 ? await call('GET', '/chunked') :
      await call('POST', '/hash', bytes, kind === 2);
  const got = kind < 2 ? hashOf(answer.body) : answer.body.toString();
  const trailer = kind !== 1 || answer.trailers['x-sha256'] === sha256;
  if (answer.status !== 200 || got !== sha256 || !trailer) {
    throw new Error(`kind ${kind}: ${answer.status} ${got} ${JSON.stringify(answer.trailers)} ${answer.body.subarray(0, 200)}`);
  }
}

async function main() {
  const problems = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < Number(count)) {
      await one(next++).then(() => done++, (error) => problems.push(String(error)));
    }
  };
  await Promise.all(Array.from({length: 32}, worker));
  agent.destroy();
  console.log(JSON.stringify({done, problems}));
}
main();
