// A server, as if nobody had ever thought of orphans.
const server = require('node:http').createServer((request, response) => response.end('node\n'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
