/** However the input is cut. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('any-split');
