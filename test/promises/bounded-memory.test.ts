/** However long a stream is. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('bounded-memory');
