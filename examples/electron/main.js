// The main process of an Electron app with two sidecars, one in Node and one in Python.
const { app, BrowserWindow } = require('electron');
const { anchored } = require('libanchor');

app.whenReady().then(() => {
  console.log('anchor', process.pid);
  const options = { cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit'] };
  const sidecars = [
    // Electron's own Node, so that none has to be shipped.
    anchored(process.execPath, ['sidecar.js'], { ...options, env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } }),
    // Behind a shell, as many a sidecar is: the shell may live on, the server watches for itself.
    anchored('sh', ['-c', 'python3 sidecar.py; echo "sidecar.py ended"'], options),
  ];
  let waiting = sidecars.length;
  for (const sidecar of sidecars) {
    sidecar.stdout.once('data', (port) => {
      console.log('port', String(port).trim());
      if (--waiting === 0) {
        console.log('ready');
        new BrowserWindow().loadFile('index.html');
      }
    });
  }
});
