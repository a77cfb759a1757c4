import { join } from 'node:path'
import { PROJECT } from '../../test/e2e/platform.ts'
import { createEdgeSigning } from '../edge-signing.ts'
import { type Peer, startServer } from './server.ts'

/** The edge alone, with signed access: everything that is asked for is signed, each viewer's token its own. */
export const tentpole: Peer = {
  name: 'tentpole',
  async start({ port, originPort, directory, memoryMib }) {
    const { keysFile, address } = await createEdgeSigning(directory)
    const main = join(PROJECT, 'src/cli/main.ts')
    const origin = `http://127.0.0.1:${originPort}`
    const args = ['--origin', origin, '--listen', String(port), '--memory', String(memoryMib), '--path-keys', keysFile]
    const command = [process.execPath, '--no-install', main, 'edge', ...args]
    return startServer({ name: 'tentpole', command, port, address })
  },
}
