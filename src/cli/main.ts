#!/usr/bin/env node
/**
 * The `parakeet` command: this process's streams, and the exit code. What it does is in run.ts.
 */
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), process);
