/** Many streams at once. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('batch-is-alone');
