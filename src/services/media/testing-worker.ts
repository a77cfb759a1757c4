import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { createStoreClient } from '../../engines/store/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { createMediaWorker } from './worker.ts'

/** A worker as a process of its own, for tests that kill it: `bun testing-worker.ts SOCKET OBJECTS SCRATCH LEASE_MS`. */
const [path = '', root = '', scratchDirectory = '', leaseMs = ''] = process.argv.slice(2)
const limits = { ...DEFAULT_LIMITS, taskLeaseMs: Number(leaseMs) }
const { tables } = createStoreClient({ path, limits, logger: silentLogger })
await createMediaWorker({
  tables,
  objects: createDirectoryObjects({ root }),
  scratchDirectory,
  limits,
  logger: silentLogger,
  owner: 'worker-to-kill',
})
