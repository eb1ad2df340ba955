/** No words out of nothing. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('silence');
