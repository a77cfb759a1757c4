import { join } from 'node:path'
import { PROJECT } from '../../test/e2e/platform.ts'
import { createEdgeSigning } from '../edge-signing.ts'
import { type Peer, startServer } from './server.ts'

/** Whether `tentpole edge` is started with `--path-keys`: everything that is asked for is signed then, each viewer's token its own. */
export const SIGNED = false

/** The edge alone, as anyone would start it. */
export const tentpole: Peer = {
  name: 'tentpole',
  async start({ port, originPort, directory, memoryMib }) {
    const { keysFile, address } = await createEdgeSigning(directory)
    const main = join(PROJECT, 'src/cli/main.ts')
    const origin = `http://127.0.0.1:${originPort}`
    const signed = SIGNED ? ['--path-keys', keysFile] : []
    const args = ['--origin', origin, '--listen', String(port), '--memory', String(memoryMib), ...signed]
    const command = [process.execPath, '--no-install', main, 'edge', ...args]
    return startServer({ name: 'tentpole', command, port, ...(SIGNED ? { address } : {}) })
  },
}
