/** The last word. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('tail');
