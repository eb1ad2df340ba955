/** A source that breaks. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('source-faults');
