/** Input that is no sound. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('malformed-input');
