/** A slow reader. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('back-pressure');
