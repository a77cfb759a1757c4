import { join } from 'node:path'
import { PROJECT } from '../../test/e2e/platform.ts'
import { type Peer, startServer } from './server.ts'

export const tentpole: Peer = {
  name: 'tentpole',
  start({ port, originPort }) {
    const main = join(PROJECT, 'src/cli/main.ts')
    const origin = `http://127.0.0.1:${originPort}`
    const args = ['edge', '--origin', origin, '--listen', String(port), '--memory', '512']
    return startServer([process.execPath, '--no-install', main, ...args], port)
  },
}
