// The same from a CommonJS module.
import libanchor = require('libanchor');

const child = libanchor.anchored('a', ['b'], { anchor: { grace: '5s', pdeathsig: 'never' } });
child.stdout.pause();
export const code: string = new libanchor.AnchorError().code;
