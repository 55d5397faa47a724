// node server.js PORT FILE: what every server of these tests answers.
//
//   GET /bytes          FILE with its length      GET /chunked   the same in uneven chunks, its sha256 as trailer x-sha256
//   POST /hash          sha256 of the body        GET /events?n=N&ms=MS   N server-sent events, MS apart, each with its number
//                                                                          and when it was sent (CLOCK_MONOTONIC, seconds)
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const bytes = fs.readFileSync(process.argv[3]);
const sha256 = crypto.createHash('sha256').update(bytes).digest('hex');
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

function chunked(res) {
  res.writeHead(200, {trailer: 'x-sha256'});
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 99991) {
    res.write(bytes.subarray(at, at + size));
  }
  res.addTrailers({'x-sha256': sha256});
  res.end();
}

function events(res, count, ms) {
  res.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
  let sent = 0;
  const next = () => {
    res.write(`id: ${sent}\ndata: ${monotonic()}\n\n`);
    if (++sent === count) {
      clearInterval(timer);
      res.end();
    }
  };
  const timer = setInterval(next, ms);
  res.on('close', () => clearInterval(timer));
}

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://local');
  if (req.method === 'POST' && url.pathname === '/hash') {
    const hash = crypto.createHash('sha256');
    req.on('data', (piece) => hash.update(piece));
    req.on('end', () => res.end(hash.digest('hex')));
  } else if (url.pathname === '/bytes') {
    res.writeHead(200, {'content-length': bytes.length});
    res.end(bytes);
  } else if (url.pathname === '/chunked') {
    chunked(res);
  } else if (url.pathname === '/events') {
    events(res, Number(url.searchParams.get('n')), Number(url.searchParams.get('ms')));
  } else {
    res.writeHead(url.pathname === '/healthz' ? 200 : 404);
    res.end();
  }
}).listen(Number(process.argv[2]), '127.0.0.1');
