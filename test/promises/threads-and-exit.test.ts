/** Worker threads, and the end of the process. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('threads-and-exit');
