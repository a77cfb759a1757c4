#!/usr/bin/env node
// `tentpole <verb>`: runs the CLI under the Bun that the lock file pins.
import { runTentpole } from './launch.mjs'

await runTentpole(process.argv.slice(2))
