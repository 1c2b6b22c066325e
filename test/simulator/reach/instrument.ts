// Loaded before the simulator where coverage is wanted: node --import .../instrument.js
import { register } from 'node:module';
import { linesWanted, startLines } from './lines.ts';

if (process.env[linesWanted] === '1') startLines();
register('./cells-hook.js', import.meta.url);
