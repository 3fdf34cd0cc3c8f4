// A sidecar: a server that says who it is, and what it is asked to end with. With `deaf` it does not listen to that.
import { createServer } from 'node:http';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2']) {
  process.on(signal, () => {
    console.log(`asked ${signal}`);
    if (!process.argv.includes('deaf')) process.exit();
  });
}
const server = createServer((_, answer) => answer.end('here'));
server.listen(0, '127.0.0.1', () => console.log(`ready ${process.pid} ${server.address().port}`));
