/** What is final stays. How it is checked: conformance/promises.mjs. */
import { keep } from './keep.js';

keep('append-only');
