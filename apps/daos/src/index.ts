export { PROGRAM } from './program.js';
