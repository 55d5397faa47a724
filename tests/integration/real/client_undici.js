// node client_undici.js PROXY_PORT SERVICE FILE COUNT [connect]: undici's Pool with pipelining, the service named by Host; with
// `connect` its ProxyAgent, which makes a CONNECT tunnel to the service. GET /bytes and POST /hash. Prints JSON. Finds undici
// where Debian puts it: NODE_PATH.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const {Pool, ProxyAgent, request} = require('undici');

const [port, service, file, count, connect] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
const hashOf = (data) => crypto.createHash('sha256').update(data).digest('hex');
const sha256 = hashOf(bytes);

async function one(pool, number) {
  const post = number % 2 === 1;
  const path = post ? '/hash' : '/bytes';
  const what = {method: post ? 'POST' : 'GET', body: post ? bytes : null};
  const answer = connect ? await request(`http://${service}${path}`, {...what, dispatcher: pool}) :
    await pool.request({...what, path, headers: {host: service}});
  const body = Buffer.from(await answer.body.arrayBuffer());
  const got = post ? body.toString() : hashOf(body);
  if (answer.statusCode !== 200 || got !== sha256) {
    throw new Error(`${answer.statusCode} ${got} ${body.subarray(0, 200)}`);
  }
}

async function main() {
  const proxy = `http://127.0.0.1:${port}`;
  const pool = connect ? new ProxyAgent({uri: proxy, connections: 8}) : new Pool(proxy, {connections: 8, pipelining: 8});
  const outcomes = await Promise.allSettled(Array.from({length: Number(count)}, (_, number) => one(pool, number)));
  const problems = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => String(outcome.reason));
  await pool.close();
  console.log(JSON.stringify({done: outcomes.length - problems.length, problems}));
}
main();
