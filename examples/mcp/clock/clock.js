#!/usr/bin/env node
// The least that a server of this protocol is. Its timer keeps it running when its input ends: the bug that many have.
let now = Date.now();
setInterval(() => { now = Date.now(); }, 1000);
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (method !== 'initialize') return;
  const result = { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: { name: 'clock', version: String(now) } };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
});
