'use strict';

// tsx compiles what is loaded after it. mocha needs no compiling, and each spec file would pay for it.
const { isMainThread } = require('node:worker_threads');

if (isMainThread) require('mocha');
require('tsx/cjs');
