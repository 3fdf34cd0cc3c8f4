// Stands in for Electron's module under plain Node: a main process without windows, for machines without Electron.
class BrowserWindow {
  loadFile() {
    setInterval(() => {}, 1 << 30); // a window keeps the app running
  }
}
module.exports = { app: { whenReady: () => Promise.resolve() }, BrowserWindow };
